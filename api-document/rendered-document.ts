import { openApiDocument } from './open-api.ts';

// Packaging replaces this module by its value (infrastructure/bundle-functions.cjs). So the deployed function carries
// neither the declarations nor the code that makes the text.

/** The API's OpenAPI document, as JSON. */
export const DOCUMENT_TEXT = JSON.stringify(openApiDocument());
