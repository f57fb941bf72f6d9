/** Content of the start page. */
export interface StartPage {
  readonly apiUrl: string;
  readonly companionUrl: string;
  /** URLs and files by name. */
  readonly places: Readonly<Record<string, string>>;
  readonly products: readonly {
    readonly productId: string;
    readonly name: string;
    readonly unitPrice: { readonly amount: number; readonly currency: string };
    readonly stock: number;
    readonly active: boolean;
  }[];
  /** One line about each token. */
  readonly paymentMethodTokens: Readonly<Record<string, string>>;
  readonly faultModes: Readonly<Record<string, string>>;
  /** One line about each call of the companion, by method and path. */
  readonly calls: Readonly<Record<string, string>>;
}

/** HTML of the page at `/`: one small document without scripts. */
export function startPage(page: StartPage): string {
  const { apiUrl, companionUrl } = page;
  const product = page.products.map(({ productId, name, unitPrice, stock, active }) => [
    code(productId),
    escapeHtml(name),
    `${(unitPrice.amount / 100).toFixed(2)} ${escapeHtml(unitPrice.currency)}`,
    active ? `${String(stock)} to begin with` : 'withdrawn',
  ]);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ordersaga on this machine</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { background: #8882; padding: .8rem; overflow-x: auto; }
td { padding: .15rem 1.2rem .15rem 0; vertical-align: top; }
:root { color-scheme: light dark; }
</style>
<h1>ordersaga on this machine</h1>
<ul>
<li>${link(`${apiUrl}/docs`, 'The API: every call with an example')}
<li>${link(`${apiUrl}/openapi.json`, 'Its OpenAPI document')}
<li>${link(`${apiUrl}/health`, 'Its health')}
<li>${link('/faults', 'Faults that are set')}
</ul>
<form action="/gateway/charges"><label>What was really charged for an order:
<input name="orderId" placeholder="ord_…" required></label> <button>Show</button></form>
<h2>A token</h2>
<pre>curl -s ${escapeHtml(companionUrl)}/issuer/token -d '{"subject":"alice"}'
curl -s ${escapeHtml(companionUrl)}/issuer/token -d '{"subject":"bob","scope":"products:write"}'</pre>
<h2>Products to begin with</h2>
${table(product)}
<h2>Payment method tokens</h2>
${table(rowsOf(page.paymentMethodTokens))}
<h2>Make Inventory fail</h2>
<pre>curl -s -X PUT ${escapeHtml(companionUrl)}/faults/inventory -d '{"mode":"http_503","times":3}'
curl -s -X DELETE ${escapeHtml(companionUrl)}/faults</pre>
${table(rowsOf(page.faultModes))}
<h2>Where else to look</h2>
${table(rowsOf(page.places))}
<h2>All calls of the companion</h2>
<p>As JSON: <code>curl -s ${escapeHtml(companionUrl)}/</code></p>
${table(rowsOf(page.calls))}
</html>
`;
}

function rowsOf(record: Readonly<Record<string, string>>): string[][] {
  return Object.entries(record).map(([name, text]) => [code(name), escapeHtml(text)]);
}

/** @param rows cells that are HTML already. */
function table(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}`).join('')}`);
  return `<table>\n${lines.join('\n')}\n</table>`;
}

function link(url: string, text: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
