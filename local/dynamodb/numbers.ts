import { invalidRequest } from './refusals.ts';

const MAX_SIGNIFICANT_DIGITS = 38;
/** Digits before the decimal point of 9.99…E+125. */
const LAST_POINT = 126;
/** Position of the decimal point of 1E-130, relative to its first digit. */
const FIRST_POINT = -129;

/** Numbers that are in normal form already, as most are. */
const SMALL_INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/** A number as 0.DIGITS × 10^point, without zeros at either end of its digits. Zero has no digits. */
interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly point: number;
}

/**
 * Normal form of a number, as DynamoDB answers it: plain decimal notation without superfluous zeros.
 * @throws AwsError ValidationException if the text is no number or outside DynamoDB's range.
 */
export function normalNumber(text: string): string {
  if (SMALL_INTEGER.test(text)) return text;
  const { isNegative, digits, point } = parse(text);
  if (digits === '') return '0';
  const sign = isNegative ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits.padEnd(point, '0')}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * Size in bytes: one for every two significant digits, counted from the decimal point, one more, and one for a
 * minus sign. DynamoDB documents the size as approximate; DynamoDB Local counts like this.
 */
export function numberBytes(text: string): number {
  const { isNegative, digits, point } = parse(text);
  if (digits === '') return 1;
  const halfPair = point % 2 === 0 ? 0 : 1;
  return Math.ceil((digits.length + halfPair) / 2) + 1 + (isNegative ? 1 : 0);
}

function parse(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') {
    throw invalidRequest('A value provided cannot be converted into a number');
  }
  const withoutLeadingZeros = (whole + fraction).replace(/^0+/, '');
  const leadingZeros = whole.length + fraction.length - withoutLeadingZeros.length;
  const digits = withoutLeadingZeros.replace(/0+$/, '');
  const point = whole.length - leadingZeros + Number(exponent);
  if (digits !== '') assertInRange(digits, point);
  return { isNegative: sign === '-', digits, point };
}

function assertInRange(digits: string, point: number): void {
  if (digits.length > MAX_SIGNIFICANT_DIGITS) {
    throw invalidRequest('DynamoDB only supports precision up to 38 digits');
  }
  if (point > LAST_POINT) {
    throw invalidRequest(
      'Number overflow. Attempting to store a number with magnitude larger than supported range',
    );
  }
  if (point < FIRST_POINT) {
    throw invalidRequest(
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    );
  }
}
