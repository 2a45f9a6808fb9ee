#pragma once

namespace hanse {

/// The style of a report. Colours are variables, so that dark is a second set of them.
inline constexpr const char* kReportStyle = R"css(
:root { color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --ink: #16202c; --soft: #5b6775; --line: #dde2e8; --grid: #e9edf1;
  --s0: #1f5fd0; --s1: #c2540a; --s2: #0f8a5f; --s3: #8b3fb5; --good: #0b7a4b; --good-bg: #e3f5ec;
  --warn: #8a5300; --warn-bg: #fdf1dc; --bad: #b3261e; --bad-bg: #fce8e6; --plain-bg: #eceff3; }
@media (prefers-color-scheme: dark) { :root {
  --page: #11151a; --card: #1a2027; --ink: #e6eaef; --soft: #9aa6b3; --line: #2e3741; --grid: #262e37;
  --s0: #7fabff; --s1: #f2a65a; --s2: #5fcfa1; --s3: #cf9cf0; --good: #6fdcab; --good-bg: #143527;
  --warn: #f3c176; --warn-bg: #3a2b10; --bad: #ff9c93; --bad-bg: #432020; --plain-bg: #262e37; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 28px 20px 40px; }
h1 { font-size: 1.85rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; letter-spacing: -0.01em; }
h2 { font-size: 1.1rem; margin: 34px 0 10px; }
p { margin: 0 0 10px; max-width: 88ch; }
.under { color: var(--soft); margin: 4px 0 14px; }
.badges { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 18px; padding: 0; list-style: none; }
.badges li { border-radius: 999px; padding: 3px 12px; font-size: 0.87rem; font-weight: 600; background: var(--plain-bg);
  color: var(--soft); }
.badges .good { background: var(--good-bg); color: var(--good); }
.badges .warn { background: var(--warn-bg); color: var(--warn); }
.badges .bad { background: var(--bad-bg); color: var(--bad); }
.card, .chart, .tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card { padding: 16px 18px; }
.card > :last-child { margin-bottom: 0; }
.promise { border-left: 4px solid var(--good); }
.promise.warn { border-left-color: var(--warn); }
.promise.bad { border-left-color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 16px; }
.tiles > div { padding: 12px 16px 13px; }
.tiles .name { color: var(--soft); font-size: 0.82rem; }
.tiles .figure { font-size: 1.5rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles .note { color: var(--soft); font-size: 0.82rem; }
.bar { height: 6px; border-radius: 3px; background: var(--grid); margin: 6px 0 3px; overflow: hidden; }
.bar i { display: block; height: 100%; border-radius: 3px; background: var(--s0); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 12px; }
.chart { margin: 0; padding: 12px 12px 6px; min-width: 0; }
.chart figcaption { font-weight: 600; padding: 0 6px 4px; }
.chart svg { display: block; width: 100%; height: auto; }
.chart .empty { color: var(--soft); padding: 40px 6px; margin: 0; text-align: center; max-width: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0 6px 4px; color: var(--soft); font-size: 0.82rem; }
.legend i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; }
.k0 { background: var(--s0); } .k1 { background: var(--s1); } .k2 { background: var(--s2); } .k3 { background: var(--s3); }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
svg .label { fill: var(--soft); }
svg .value { font-weight: 650; paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
svg .t0 { fill: var(--s0); } svg .t1 { fill: var(--s1); } svg .t2 { fill: var(--s2); } svg .t3 { fill: var(--s3); }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .limit { stroke: var(--bad); stroke-dasharray: 5 4; } svg .limit-label { fill: var(--bad); }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .curve.s0 { stroke: var(--s0); } svg .curve.s1 { stroke: var(--s1); }
svg .curve.s2 { stroke: var(--s2); } svg .curve.s3 { stroke: var(--s3); }
svg .dot { stroke: var(--card); stroke-width: 1.5; }
svg .dot.s0 { fill: var(--s0); } svg .dot.s1 { fill: var(--s1); }
svg .dot.s2 { fill: var(--s2); } svg .dot.s3 { fill: var(--s3); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
code, pre { font: 0.86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { margin: 10px 0 0; overflow-x: auto; }
ul { margin: 0 0 10px; padding-left: 20px; } li { margin: 2px 0; }
details > summary { cursor: pointer; font-weight: 600; }
details + details { margin-top: 8px; }
.none { color: var(--warn); font-weight: 600; }
footer { color: var(--soft); font-size: 0.85rem; margin-top: 30px; }
@media (max-width: 520px) { main { padding: 18px 12px 28px; } .card { padding: 13px 14px; } h1 { font-size: 1.5rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; } .tiles > div { padding: 10px 12px; } .tiles .figure { font-size: 1.25rem; } }
@media print { body { background: #fff; } .chart, .card { break-inside: avoid; } }
)css";

}  // namespace hanse
