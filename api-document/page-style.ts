/** Style without fonts or images: the reader's system fonts, in light or dark colours. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1c2430, #dfe5ee); --muted: light-dark(#566274, #9aa7b8);
  --back: light-dark(#ffffff, #12161c); --panel: light-dark(#f5f7fa, #1a2029);
  --line: light-dark(#dde3ea, #2d3643); --link: light-dark(#0b5cad, #7db8f5);
  --get: light-dark(#0b5cad, #7db8f5); --post: light-dark(#1b7a3d, #6fcf8e);
  --put: light-dark(#8f5300, #e9b35f); --delete: light-dark(#b3261e, #f28b82);
}
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; color: var(--text); background: var(--back); font: 16px/1.55 system-ui, sans-serif }
a { color: var(--link); text-underline-offset: .15em }
a:focus-visible, summary:focus-visible, pre:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px }
.skip { position: absolute; left: -99rem }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--back); z-index: 1 }
.layout { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 84rem; margin: auto }
nav { position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto;
  padding: 1.5rem 1rem 3rem 1.5rem; border-right: 1px solid var(--line); font-size: .875rem }
nav strong { display: block; margin: 1.25rem 0 .35rem }
nav .name { font-size: 1.15rem; margin: 0 }
nav ul { list-style: none; margin: 0; padding: 0 }
nav li a { display: flex; gap: .5rem; padding: .16rem 0; color: inherit; text-decoration: none }
nav li a:hover { text-decoration: underline }
main { padding: 1.5rem 2.5rem 6rem; min-width: 0 }
h1 { margin: 0 0 .5rem; font-size: 2rem; line-height: 1.2 }
h1 small { font-size: 1rem; color: var(--muted); font-weight: 400 }
h2 { margin: 3.5rem 0 .25rem; font-size: 1.5rem; border-top: 1px solid var(--line); padding-top: 2rem }
h3 { margin: 2.75rem 0 .25rem; font-size: 1.15rem; overflow-wrap: anywhere }
h4 { margin: 1.4rem 0 .4rem; font-size: .8rem; letter-spacing: .05em; text-transform: uppercase;
  color: var(--muted) }
h4 a { text-transform: none; letter-spacing: 0; font-size: .9rem }
h3 a { color: inherit; text-decoration: none }
h3 a:hover { text-decoration: underline }
h3 code { background: none; padding: 0; font-size: 1rem }
h3 .summary { display: block; font-size: 1.15rem }
p { margin: .4rem 0; max-width: 48rem }
.muted { color: var(--muted) }
.method { display: inline-block; min-width: 4.2em; font: 700 .72em/1.9 ui-monospace, monospace }
.get { color: var(--get) } .post { color: var(--post) } .put { color: var(--put) }
.delete { color: var(--delete) }
code, pre { font-family: ui-monospace, SFMono-Regular, Consolas, 'DejaVu Sans Mono', monospace }
code { font-size: .875em; background: var(--panel); padding: .1em .3em; border-radius: 3px;
  overflow-wrap: anywhere }
pre { margin: .5rem 0; padding: .8rem 1rem; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; overflow: auto; max-height: 30rem; font-size: .8rem; line-height: 1.5 }
pre code { background: none; padding: 0; font-size: 1em; overflow-wrap: normal }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: .8rem }
th, td { padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td:first-child, td:last-child > code { white-space: nowrap }
td ul { margin: 0; padding: 0; list-style: none }
details { margin: .4rem 0 }
summary { cursor: pointer; font-size: .9rem; width: fit-content }
@media (max-width: 60rem) {
  .layout { display: block }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line) }
  main { padding: 1.5rem 1rem 4rem }
}
@media print { nav { display: none } .layout { display: block } pre { max-height: none } }
`;
