import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { StepFunctionsError } from './errors.ts';

/** A Task state by the integration that calls its Lambda function. */
export interface TaskDefinition {
  /**
   * Integration: `function` calls the function's ARN, `invoke` waits for the result, `callback` for the task
   * token.
   */
  readonly integration: 'function' | 'invoke' | 'callback';
  readonly resource: string;
  readonly timeoutSeconds: number | undefined;
  readonly heartbeatSeconds: number | undefined;
}

export interface Program {
  readonly machine: StateMachine;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** Position n is the name of the state at `$$.States[n]` in the context object. */
  readonly stateNames: readonly string[];
}

type Fields = Record<string, unknown>;

/** AWS's limit if a Task names no time-out. */
const UNLIMITED_SECONDS = 99_999_999;

/** Fields that AWS knows and the interpreter ignores. They are refused rather than silently wrong. */
const UNSUPPORTED_FIELDS = [
  'Arguments',
  'Assign',
  'HeartbeatSecondsPath',
  'ItemBatcher',
  'ItemReader',
  'Output',
  'ResultWriter',
];

/** Caches compiled definitions: validating one takes longer than running it. */
const programs = new Map<string, Program>();

/**
 * Validates a definition in the Amazon States Language and prepares it for the interpreter.
 * @throws StepFunctionsError InvalidDefinition
 */
export function compileDefinition(text: string): Program {
  const known = programs.get(text);
  if (known !== undefined) return known;
  const program = compile(text);
  programs.set(text, program);
  return program;
}

function compile(text: string): Program {
  const definition = parse(text);
  try {
    new StateMachine(definition as unknown as StateMachineDefinition);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  const tasks = new Map<string, TaskDefinition>();
  const stateNames: string[] = [];
  const prepared = prepareMachine(definition, { tasks, stateNames });
  const machine = new StateMachine(prepared as unknown as StateMachineDefinition, {
    validationOptions: { noValidate: true },
  });
  return { machine, tasks, stateNames };
}

interface Found {
  readonly tasks: Map<string, TaskDefinition>;
  readonly stateNames: string[];
}

function prepareMachine(definition: Fields, found: Found): Fields {
  refuseUnsupported('The state machine', definition);
  const states = Object.entries(definition['States'] as Record<string, Fields>);
  return {
    ...definition,
    States: Object.fromEntries(
      states.map(([name, state]) => [name, prepareState(name, state, found)]),
    ),
  };
}

function prepareState(name: string, state: Fields, found: Found): Fields {
  refuseUnsupported(`State '${name}'`, state);
  const { Branches: branches, ItemProcessor, Iterator: iterator, ...own } = state;
  const processor = (ItemProcessor ?? iterator) as Fields | undefined;
  const position = found.stateNames.push(name) - 1;
  if (own['Type'] === 'Task') {
    found.tasks.set(name, taskDefinition(name, own));
    if (own['TimeoutSecondsPath'] === undefined) own['TimeoutSeconds'] ??= UNLIMITED_SECONDS;
  }
  return {
    ...pointToOwnContext(own, position),
    ...(branches !== undefined && {
      Branches: (branches as Fields[]).map((branch) => prepareMachine(branch, found)),
    }),
    ...(processor !== undefined && { ItemProcessor: prepareMachine(processor, found) }),
  };
}

function taskDefinition(name: string, state: Fields): TaskDefinition {
  const resource = String(state['Resource']);
  const shared = {
    resource,
    timeoutSeconds: state['TimeoutSeconds'] as number | undefined,
    heartbeatSeconds: state['HeartbeatSeconds'] as number | undefined,
  };
  if (/^arn:[\w-]+:lambda:/.test(resource)) return { integration: 'function', ...shared };
  const match = /^arn:[\w-]+:states:[\w-]*:\d*:lambda:invoke(\.waitForTaskToken)?$/.exec(resource);
  if (match === null) throw invalid(`State '${name}': resource ${resource} is not supported`);
  const parameters = (state['Parameters'] ?? {}) as Fields;
  if (!('FunctionName' in parameters) && !('FunctionName.$' in parameters)) {
    throw invalid(`State '${name}': the field 'FunctionName' is required but was missing`);
  }
  return { integration: match[1] === undefined ? 'invoke' : 'callback', ...shared };
}

/**
 * Rewrites paths to the execution's own context object. The interpreter has no `$$.State`, and gives every branch
 * an `$$.Execution` of its own with the real time in it.
 */
function pointToOwnContext(state: Fields, position: number): Fields {
  const lead = (key: string, value: unknown): unknown =>
    typeof value === 'string' && /(\.\$|Path|^Variable)$/.test(key)
      ? value
          .replaceAll(/\$\$\.State\b/g, () => `$$.States[${position}]`)
          .replaceAll(/\$\$\.Execution\b/g, () => '$$.WholeExecution')
      : value;
  return JSON.parse(JSON.stringify(state), lead) as Fields;
}

function refuseUnsupported(where: string, fields: Fields): void {
  if (fields['QueryLanguage'] === 'JSONata') throw invalid(`${where}: JSONata is not supported`);
  const field = UNSUPPORTED_FIELDS.find((unsupported) => unsupported in fields);
  if (field !== undefined) throw invalid(`${where}: the field '${field}' is not supported`);
}

function parse(text: string): Fields {
  let definition: unknown;
  try {
    definition = JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  if (typeof definition !== 'object' || definition === null) throw invalid('not an object');
  return definition as Fields;
}

function invalid(reason: string): StepFunctionsError {
  return new StepFunctionsError(
    'InvalidDefinition',
    `Invalid State Machine Definition: '${reason}'`,
  );
}
