/** An amount in the currency's minor units (cents), always an integer; currency as ISO 4217. */
export interface Money {
  readonly amount: number;
  readonly currency: string;
}
