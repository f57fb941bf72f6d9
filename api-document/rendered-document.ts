import { openApiDocument } from './open-api.ts';

// Packaging runs this module and puts its values in its place (infrastructure/bundle-functions.cjs):
// the deployed function carries neither the schemas nor the code that the text is made by.

/** The API's OpenAPI document, as JSON. */
export const DOCUMENT_TEXT = JSON.stringify(openApiDocument());
