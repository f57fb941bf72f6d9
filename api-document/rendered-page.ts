import { openApiDocument } from './open-api.ts';
import { PAGE_SECURITY_POLICY as POLICY, renderPage } from './page.ts';

// Packaging replaces this module by its values, as it does with rendered-document.ts.

/** The page that shows the API's document, as HTML. */
export const PAGE_TEXT = renderPage(openApiDocument());

/** The value of Content-Security-Policy that the page is sent with. */
export const PAGE_SECURITY_POLICY = POLICY;
