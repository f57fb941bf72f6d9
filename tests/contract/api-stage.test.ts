import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';

type Resolve = (variable: string) => Promise<unknown>;

interface Deployment {
  readonly DependsOn: readonly string[];
  readonly Properties: {
    readonly StageDescription: { readonly AccessLogSetting?: { readonly Format: string } };
  };
}

interface ApiGateway {
  resources(tools: { resolveVariable: Resolve }): Promise<Record<string, unknown>>;
  deployment(tools: { resolveVariable: Resolve }): Promise<Record<string, Deployment>>;
}

const template = createRequire(import.meta.url)(
  '../../infrastructure/api-gateway.cjs',
) as ApiGateway;

async function madeWith(accessLog: boolean, ratePerIp = 0) {
  const resolveVariable: Resolve = (variable) => {
    if (variable === 'param:API_ACCESS_LOG') return Promise.resolve(accessLog);
    if (variable === 'param:WAF_RATE_PER_IP') return Promise.resolve(ratePerIp);
    return Promise.resolve(variable === 'sls:instanceId' ? '1' : '');
  };
  const resources = await template.resources({ resolveVariable });
  const [deployment] = Object.values(await template.deployment({ resolveVariable }));
  return { all: resources, resources: Object.keys(resources), deployment: deployment! };
}

describe("the API's access log", () => {
  test('says who called what and how it ended, under the id that the functions log', async () => {
    const { deployment } = await madeWith(true);
    const format = deployment.Properties.StageDescription.AccessLogSetting?.Format ?? '{}';
    expect(JSON.parse(format)).toMatchObject({
      requestId: '$context.requestId',
      sourceIp: '$context.identity.sourceIp',
      route: '$context.resourcePath',
      status: '$context.status',
      error: '$context.error.responseType',
    });
    // Tokens and signatures are in headers.
    expect(format).not.toMatch(/header|authoriz/i);
  });

  test('waits for everything that it needs', async () => {
    const { resources, deployment } = await madeWith(true);
    expect(resources).toEqual(expect.arrayContaining([...deployment.DependsOn]));
    expect(deployment.DependsOn).toEqual(expect.arrayContaining(['ApiAccessLog', 'ApiLogAccount']));
  });

  test('is left out where it is switched off', async () => {
    const { resources, deployment } = await madeWith(false);
    expect(resources.filter((name) => name.startsWith('Api'))).toEqual([]);
    expect(deployment.Properties.StageDescription).not.toHaveProperty('AccessLogSetting');
  });
});

describe('the web ACL', () => {
  test('bounds what one address may send, once the stage is there', async () => {
    const { all } = await madeWith(false, 500);
    expect(all['WebAcl']).toMatchObject({
      Properties: {
        Scope: 'REGIONAL',
        Rules: [
          {
            Action: { Block: {} },
            Statement: { RateBasedStatement: { AggregateKeyType: 'IP', Limit: 500 } },
          },
        ],
      },
    });
    expect(all['WebAclOfApi']).toMatchObject({ DependsOn: ['ApiGatewayDeployment1'] });
  });

  test('is left out unless the stage asks for it: no emulator knows it', async () => {
    expect((await madeWith(true)).resources.filter((name) => name.startsWith('WebAcl'))).toEqual(
      [],
    );
  });
});
