//! The style of pages and drawings. Contrast of text is at least 4.5 to 1 in light and in dark.

/// Of a page.
pub(crate) const PAGE_STYLE: &str = "\
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --shade: #f3f5f7;
  --good: #116329; --bad: #a40e26; --warning: #7a4b00; --accent: #0550ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --ink: #e6e9ed; --soft: #9aa4af; --line: #363d47; --shade: #1d232b;
    --good: #5fd47a; --bad: #ff8b8b; --warning: #e8b04a; --accent: #79b8ff;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, sans-serif; background: var(--paper); color: var(--ink); }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0.5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 0.75rem; padding-bottom: 0.25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 0.5rem; }
header p { font-size: 1.1rem; color: var(--soft); margin: 0; }
a { color: var(--accent); }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav ol { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; list-style: none; padding: 0;
  margin: 1rem 0 0; }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; }
code { background: var(--shade); padding: 0.1em 0.3em; border-radius: 3px;
  overflow-wrap: anywhere; }
pre { background: var(--shade); padding: 0.75rem 1rem; border-radius: 6px; overflow-x: auto; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.75rem 0.35rem 0;
  border-bottom: 1px solid var(--line); }
tbody th { font-weight: inherit; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
tbody tr > :first-child { min-width: 11rem; }
dl { margin: 1rem 0; }
dl div { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr; gap: 0 1rem;
  padding: 0.2rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: 1.25rem 0; }
figure svg { width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: 0.95rem; }
summary { cursor: pointer; padding: 0.3rem 0; }
.badge { font-weight: 600; white-space: nowrap; }
.notice { border-left: 4px solid currentColor; background: var(--shade);
  padding: 0.6rem 0.9rem; border-radius: 0 6px 6px 0; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.warning { color: var(--warning); }
.neutral { color: var(--soft); }
@media (max-width: 30rem) {
  body { padding: 1rem 0.9rem 3rem; }
  dl div { grid-template-columns: 1fr; padding: 0.3rem 0; }
  td:not(.number) { min-width: 6rem; }
  td:has(code) { min-width: 15rem; }
}
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: 0.9rem; }
@media print {
  :root { --paper: #ffffff; --ink: #000000; --soft: #333333; --line: #888888;
    --shade: #ffffff; --good: #000000; --bad: #000000; --warning: #000000; --accent: #000000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  pre { white-space: pre-wrap; border: 1px solid var(--line); }
  .scroll { overflow: visible; }
  h2, h3 { break-after: avoid; }
  tr, figure, pre, .notice, dl, ul { break-inside: avoid; }
  h3 + ul { break-after: avoid; }
  thead { display: table-header-group; }
  details::details-content { content-visibility: visible; }
}
";

/// Of a drawing, also when it stands alone: without custom properties, which viewers other than
/// browsers do not know. Lines differ in dashes as well as in colour.
pub(crate) const PLOT_STYLE: &str = "\
.ne-plot text { font: 12px system-ui, sans-serif; fill: #57606a; }
.ne-plot .ne-name { fill: #1b1f24; }
.ne-plot .ne-grid { stroke: #d0d7de; stroke-width: 1; }
.ne-plot .ne-series { fill: none; stroke-width: 2; stroke-linejoin: round; }
.ne-plot .ne-s0 { stroke: #0550ae; }
.ne-plot .ne-s1 { stroke: #b35900; stroke-dasharray: 8 3; }
.ne-plot .ne-s2 { stroke: #116329; stroke-dasharray: 2 3; }
.ne-plot .ne-s3 { stroke: #8250df; stroke-dasharray: 8 3 2 3; }
.ne-plot .ne-limit { stroke: #a40e26; stroke-dasharray: 4 4; }
.ne-plot .ne-mark { stroke: #a40e26; stroke-dasharray: 1 2; }
.ne-plot .ne-mark-name { fill: #a40e26; }
@media screen and (prefers-color-scheme: dark) {
  .ne-plot text { fill: #9aa4af; }
  .ne-plot .ne-name { fill: #e6e9ed; }
  .ne-plot .ne-grid { stroke: #363d47; }
  .ne-plot .ne-s0 { stroke: #79b8ff; }
  .ne-plot .ne-s1 { stroke: #f0a45d; }
  .ne-plot .ne-s2 { stroke: #5fd47a; }
  .ne-plot .ne-s3 { stroke: #c9a7ff; }
  .ne-plot .ne-limit, .ne-plot .ne-mark { stroke: #ff8b8b; }
  .ne-plot .ne-mark-name { fill: #ff8b8b; }
}
";

/// Of a drawing of how values are spread, beside [`PLOT_STYLE`]. It is small, and stays so on a wide
/// page.
pub(crate) const SPREAD_STYLE: &str = "\
.ne-spread { max-width: 44rem; }
.ne-spread .ne-bar { fill: #8aa9d6; }
.ne-spread .ne-p0 { stroke: #1b1f24; }
.ne-spread .ne-p1 { stroke: #b35900; stroke-dasharray: 5 2; }
.ne-spread .ne-p2 { stroke: #a40e26; stroke-dasharray: 2 2; }
.ne-spread .ne-p3 { stroke: #8250df; stroke-dasharray: 5 2 1 2; }
@media screen and (prefers-color-scheme: dark) {
  .ne-spread .ne-bar { fill: #3f5f8f; }
  .ne-spread .ne-p0 { stroke: #e6e9ed; }
  .ne-spread .ne-p1 { stroke: #f0a45d; }
  .ne-spread .ne-p2 { stroke: #ff8b8b; }
  .ne-spread .ne-p3 { stroke: #c9a7ff; }
}
";
