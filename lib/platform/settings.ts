import { isIP } from 'node:net';
import { MAX_PIECES_PER_LINE, MAX_WAIT_SECONDS, MOST_OPEN_ORDERS_PER_USER } from '../limits.ts';

/**
 * The settings of the service. Each row of the table gives a setting's name, range, default and
 * meaning. Made from it are the check of the environment (config.ts), the template's parameters and
 * environment (infrastructure/settings.cjs), the local start (local/start-settings.ts) and
 * docs/configuration.md. Every Lambda loads this file, so it uses no library.
 */

interface Described {
  /** Meaning, in one sentence of plain English. */
  readonly meaning: string;
  /** Value in the template of a deployed stage, if it is not `default`; `shown` is its text. */
  readonly deployed?: { readonly value: string; readonly shown: string };
  /** Value in the template of the stage `local`, if it is another one. */
  readonly local?: string | number | boolean;
  /** Value in the template of the stage `prod`, if it is another one. */
  readonly prod?: number | string | boolean;
}

/** A whole number, in digits. */
interface NumberSetting extends Described {
  readonly kind: 'number';
  readonly min: number;
  readonly max: number;
  /** Unit of the number, if it counts one. */
  readonly unit?: 'seconds' | 'milliseconds';
  readonly default: number;
  /** On a deployed stage the number has to be a multiple of this. */
  readonly deployedMultipleOf?: number;
}

/** A number from 0 to 1. */
interface ShareSetting extends Described {
  readonly kind: 'share';
  readonly default: number;
}

/** An http or https URL. Without a default it is required. */
interface UrlSetting extends Described {
  readonly kind: 'url';
  /** Text that the URL must contain, for the service to replace. */
  readonly placeholder?: string;
  readonly default?: string;
}

/** Text that is not empty, unless its default is. */
interface TextSetting extends Described {
  readonly kind: 'text';
  readonly default?: string;
}

/** An IPv4 or IPv6 address. */
interface AddressSetting extends Described {
  readonly kind: 'address';
  readonly default: string;
}

interface ChoiceSetting extends Described {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}

interface SwitchSetting extends Described {
  readonly kind: 'switch';
  readonly default: boolean;
}

/** A comma-separated list of origins, as browsers send them in `Origin`; empty for none. */
interface OriginsSetting extends Described {
  readonly kind: 'origins';
  readonly default: '';
}

/** A comma-separated list of secrets; never printed, and never in the template. */
interface SecretsSetting extends Described {
  readonly kind: 'secrets';
}

export type Setting =
  | NumberSetting
  | ShareSetting
  | UrlSetting
  | TextSetting
  | AddressSetting
  | ChoiceSetting
  | SwitchSetting
  | OriginsSetting
  | SecretsSetting;

/** One secret or more, in the order in which they are preferred. */
export type Secrets = readonly [string, ...string[]];

/** Type of a setting's value once its text has been checked. */
export type ValueOf<Kind extends Setting> = Kind extends { readonly kind: 'number' | 'share' }
  ? number
  : Kind extends { readonly kind: 'switch' }
    ? boolean
    : Kind extends { readonly kind: 'secrets' }
      ? Secrets
      : Kind extends { readonly kind: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** Shortest secret that is accepted, in characters. */
const MIN_SECRET_CHARACTERS = 16;

const DAY_SECONDS = 86_400;

/** Settings that the functions read. */
export const SETTINGS = {
  RESERVATION_TTL_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: DAY_SECONDS,
    default: 900,
    meaning: 'Time for which an order can be paid once its stock is reserved.',
  },
  MAX_HOLD_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 60,
    max: 7 * DAY_SECONDS,
    default: DAY_SECONDS,
    meaning:
      'Longest time for which Inventory holds stock, however often it is extended. The start refuses less than an order and its longest payment need.',
  },
  PAYMENT_ACK_TIMEOUT_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: DAY_SECONDS,
    default: 180,
    meaning:
      'Time for which an open payment waits for its acknowledgement before the gateway is asked.',
  },
  // The start refuses time-outs that do not fit into a function's (lib/orders/recovery/deadlines.ts).
  INVENTORY_TIMEOUT_MS: {
    kind: 'number',
    unit: 'milliseconds',
    min: 50,
    max: 5000,
    default: 2000,
    meaning: 'Time-out of one call to Inventory.',
  },
  GATEWAY_TIMEOUT_MS: {
    kind: 'number',
    unit: 'milliseconds',
    min: 50,
    max: 6000,
    default: 5000,
    meaning: 'Time-out of one call to the payment gateway.',
  },
  CIRCUIT_FAILURE_RATIO: {
    kind: 'share',
    default: 0.5,
    meaning: 'Share of the calls to Inventory in one window whose failure opens the circuit.',
  },
  CIRCUIT_MIN_CALLS: {
    kind: 'number',
    min: 1,
    max: 1000,
    default: 20,
    meaning: 'Number of calls to Inventory in one window below which the circuit stays closed.',
  },
  CIRCUIT_MIN_ORDERS: {
    kind: 'number',
    min: 1,
    max: 100,
    default: 5,
    meaning:
      'Number of orders whose calls to Inventory fail in one window below which the circuit stays closed.',
  },
  CIRCUIT_WINDOW_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: 300,
    default: 10,
    meaning: 'Time from a failed call to Inventory for which calls are counted.',
  },
  INVENTORY_CIRCUIT_PAUSE_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: 3600,
    default: 10,
    meaning:
      'Time for which an open circuit sends nothing to Inventory; then calls go through step by step.',
  },
  INVENTORY_OUTAGE_BUDGET_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 0,
    // A longer wait outgrows the 25,000 events of one execution.
    max: 14_400,
    default: 120,
    meaning:
      'Time from the first failure of Inventory for which a reservation is retried, however often, before the order fails.',
  },
  RETRY_MAX_ATTEMPTS: {
    kind: 'number',
    min: 1,
    max: 20,
    default: 5,
    meaning:
      'Number of retries of one saga step; a reservation that Inventory holds up is retried until INVENTORY_OUTAGE_BUDGET_SECONDS have passed.',
  },
  THROTTLE_MAX_ATTEMPTS: {
    kind: 'number',
    min: 1,
    max: 40,
    default: 20,
    meaning:
      'Number of retries of one saga step that Lambda, Inventory, the gateway or a table refuses because of too many calls.',
  },
  RETRY_BASE_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: 30,
    default: 1,
    meaning: 'Delay before the first retry of a saga step; it doubles each time, with full jitter.',
  },
  // SQS takes no more than 1000.
  QUEUE_MAX_RECEIVES: {
    kind: 'number',
    min: 1,
    max: 1000,
    default: 8,
    meaning: 'Number of times a queue delivers a message before it becomes a dead letter.',
  },
  DUPLICATE_WINDOW_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 0,
    max: DAY_SECONDS,
    default: 600,
    meaning: 'Age up to which an open order with the same items counts as a double click.',
  },
  MAX_OPEN_ORDERS_PER_USER: {
    kind: 'number',
    min: 1,
    max: MOST_OPEN_ORDERS_PER_USER,
    default: 10,
    meaning:
      'Number of unpaid orders that hold stock which one user, the `sub` of a token, may have.',
  },
  DEFAULT_MAX_PER_ORDER: {
    kind: 'number',
    min: 1,
    max: MAX_PIECES_PER_LINE,
    default: MAX_PIECES_PER_LINE,
    meaning: 'Pieces that one order may have of a product without a `maxPerOrder` of its own.',
  },
  MAX_WAIT_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 0,
    max: MAX_WAIT_SECONDS,
    default: MAX_WAIT_SECONDS,
    meaning:
      'Longest time that a call waits for `Prefer: wait`. Each wait occupies a function; 0 answers `202` at once.',
  },
  MAX_LONG_WAITS: {
    kind: 'number',
    min: 1,
    max: 100_000,
    default: 200,
    meaning:
      'Number of calls that may begin to wait for longer than a second within ten seconds; of others the wait ends then.',
  },
  DISPATCH_AFTER_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: 3600,
    default: 30,
    meaning: 'Delay after which the dispatcher does what a handler should have done at once.',
  },
  SCHEDULE_SECONDS: {
    kind: 'number',
    unit: 'seconds',
    min: 1,
    max: 3600,
    default: 60,
    deployedMultipleOf: 60,
    meaning:
      'Interval between two rounds of the dispatcher, and of the sweeper of expired reservations.',
  },
  GATEWAY_URL: {
    kind: 'url',
    local: 'http://localhost:3100/gateway',
    meaning: 'Base URL of the payment gateway.',
  },
  INVENTORY_URL: {
    kind: 'url',
    deployed: {
      value: '${self:custom.inventoryUrl}',
      shown: "the function URL of the stage's own `reservations`",
    },
    meaning:
      'Base URL of the Inventory Service, as the Order Service reaches it. Each request is signed for Lambda.',
  },
  PAYMENT_PAGE_URL: {
    kind: 'url',
    placeholder: '{orderId}',
    default: 'http://localhost:3000/pay/{orderId}',
    meaning: 'Page that the `paymentUrl` of an order leads to.',
  },
  // CloudFormation looks the next three up during a deployment, so packaging needs no account.
  JWT_ISSUER: {
    kind: 'url',
    deployed: ssmParameter('jwt-issuer'),
    local: 'http://localhost:3100/issuer',
    meaning: "Issuer of the callers' tokens, any OIDC provider: their claim `iss`.",
  },
  JWT_AUDIENCE: {
    kind: 'text',
    deployed: ssmParameter('jwt-audience'),
    local: 'ordersaga',
    meaning: "Audience of the callers' tokens: their claim `aud`.",
  },
  JWKS_URL: {
    kind: 'url',
    deployed: ssmParameter('jwks-url'),
    local: 'http://localhost:3100/issuer/jwks.json',
    meaning: "URL of the issuer's public keys.",
  },
  // `*` is refused: every page that a user visits could then spend a token it has got hold of.
  ALLOWED_ORIGINS: {
    kind: 'origins',
    default: '',
    meaning: 'Origins whose pages may call the API from a browser (CORS).',
  },
  INVENTORY_CREDENTIAL: {
    kind: 'secrets',
    meaning: 'Credentials that Inventory accepts from the Order Service, which sends the first.',
  },
  WEBHOOK_SECRETS: {
    kind: 'secrets',
    meaning:
      'Secrets that the payment gateway may sign a webhook with; the simulator uses the first.',
  },
} as const satisfies Readonly<Record<string, Setting>>;

/**
 * Checks the text of one setting.
 * @returns its value; undefined if the text is out of range.
 */
export function valueOf<Kind extends Setting>(
  setting: Kind,
  text: string,
): ValueOf<Kind> | undefined {
  return checkedValue(setting, text) as ValueOf<Kind> | undefined;
}

function checkedValue(
  setting: Setting,
  text: string,
): number | string | boolean | Secrets | undefined {
  switch (setting.kind) {
    case 'number': {
      // In digits only: an empty text is a mistake, not a zero.
      const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return number >= setting.min && number <= setting.max ? number : undefined;
    }
    case 'share':
      return /^(?:0|1|0?\.\d+)$/.test(text) ? Number(text) : undefined;
    case 'url': {
      const isUrl = /^https?:\/\/[^/]/i.test(text) && URL.canParse(text);
      return isUrl && text.includes(setting.placeholder ?? '') ? text : undefined;
    }
    case 'text':
      return text !== '' || setting.default === '' ? text : undefined;
    case 'address':
      return isIP(text) === 0 ? undefined : text;
    case 'choice':
      return setting.choices.includes(text) ? text : undefined;
    case 'switch':
      return text === 'true' || (text === 'false' ? false : undefined);
    case 'origins':
      return text === '' || text.split(',').every((origin) => isOrigin(origin.trim()))
        ? text
        : undefined;
    case 'secrets': {
      const [first = '', ...others] = text.split(',').map((secret) => secret.trim());
      const isEachLong = [first, ...others].every(
        (secret) => secret.length >= MIN_SECRET_CHARACTERS,
      );
      return isEachLong ? [first, ...others] : undefined;
    }
  }
}

/** Values that a setting takes, in words that follow "must be". */
export function rangeOf(setting: Setting): string {
  switch (setting.kind) {
    case 'number': {
      const unit = setting.unit === undefined ? '' : ` of ${setting.unit}`;
      return `a whole number${unit} from ${String(setting.min)} to ${String(setting.max)}`;
    }
    case 'share':
      return 'a number from 0 to 1';
    case 'url':
      return setting.placeholder === undefined
        ? 'an http or https URL'
        : `an http or https URL that contains ${setting.placeholder}`;
    case 'text':
      return setting.default === '' ? 'any text' : 'a text that is not empty';
    case 'address':
      return 'an IPv4 or IPv6 address';
    case 'choice':
      return setting.choices.join(' or ');
    case 'switch':
      return 'true or false';
    case 'origins':
      return 'origins separated by commas, each a scheme and a host such as https://shop.example.com';
    case 'secrets':
      return `secrets separated by commas; each secret must have at least ${String(MIN_SECRET_CHARACTERS)} characters`;
  }
}

/** Says which value of which variable is refused, and its range. A secret is not shown. */
export function problemWith(name: string, setting: Setting, text: string): string {
  const shown = setting.kind === 'secrets' ? '(hidden)' : text;
  return `${name} is ${JSON.stringify(shown)}: it must be ${rangeOf(setting)}`;
}

/** True if a browser would write the origin exactly like this: lower case, no path, no default port. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function ssmParameter(name: string) {
  return {
    value: `{{resolve:ssm:/ordersaga/\${sls:stage}/${name}}}`,
    shown: `the SSM parameter \`/ordersaga/<stage>/${name}\``,
  };
}
