/** An amount in the currency's minor units (cents), always an integer; currency as ISO 4217. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/**
 * Sums quantity × unit price.
 * @returns undefined where there is no line, a line has no price yet, or currencies differ.
 */
export function totalOf(
  lines: readonly { readonly quantity: number; readonly unitPrice?: Money }[],
): Money | undefined {
  const currency = lines[0]?.unitPrice?.currency;
  if (currency === undefined) return undefined;
  let amount = 0;
  for (const { quantity, unitPrice } of lines) {
    if (unitPrice?.currency !== currency) return undefined;
    amount += quantity * unitPrice.amount;
  }
  return { amount, currency };
}
