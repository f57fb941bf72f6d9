import type { APIGatewayProxyEvent } from 'aws-lambda';

/** The path as the caller sent it: below the stage (`/prod/order`), or below a custom domain's mapping. */
export function requestPathOf({ requestContext, path }: APIGatewayProxyEvent): string {
  // A test invocation may come without either.
  const context = requestContext as Partial<typeof requestContext> | undefined;
  return context?.path ?? path;
}
