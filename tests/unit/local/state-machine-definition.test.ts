import { describe, expect, it } from 'vitest';
import {
  renderStateMachine,
  UnknownPlaceholderError,
} from '../../../local/stack/state-machine-definition.ts';

const values = {
  references: {},
  attributes: { 'reserve.Arn': 'arn:aws:lambda:eu-central-1:000000000000:function:reserve' },
};

describe('renderStateMachine', () => {
  it('fills parameters in with their type and functions in by their ARN', () => {
    const definition = {
      StartAt: 'Reserve',
      States: {
        Reserve: {
          Type: 'Task',
          Resource: { 'Fn::GetAtt': ['reserve', 'Arn'] },
          TimeoutSeconds: '${param:TIMEOUT_SECONDS}',
          Retry: [{ MaxAttempts: '${param:ATTEMPTS}', BackoffRate: 2 }],
          Parameters: { 'token.$': '$$.Task.Token' },
          End: true,
        },
      },
    };

    expect(renderStateMachine(definition, { TIMEOUT_SECONDS: 5, ATTEMPTS: 3 }, values)).toEqual({
      StartAt: 'Reserve',
      States: {
        Reserve: {
          Type: 'Task',
          Resource: 'arn:aws:lambda:eu-central-1:000000000000:function:reserve',
          TimeoutSeconds: 5,
          Retry: [{ MaxAttempts: 3, BackoffRate: 2 }],
          Parameters: { 'token.$': '$$.Task.Token' },
          End: true,
        },
      },
    });
  });

  it.each(['${param:UNKNOWN}', '${self:custom.name}', 'in ${param:KNOWN} words', '${broken'])(
    'refuses %s',
    (text) => {
      const render = () => renderStateMachine({ Comment: text }, { KNOWN: 1 }, values);
      expect(render).toThrow(UnknownPlaceholderError);
    },
  );
});
