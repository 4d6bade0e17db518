// The style sheet of the report. The colours of the charts are those of Okabe and Ito (2008), made
// lighter on dark ground; they differ in lightness, too.
#include "html_sections.h"

namespace llmbatch {

const std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--panel:#f5f6f8;--ink:#16191d;--muted:#57606b;--rule:#dde1e6;
--c1:#0a6eb0;--c2:#d98200;--c3:#c4400f;--c4:#00805c;--c5:#9a4f83;--c6:#8a939d;--good:#00704f;--bad:#b23a0b}
@media (prefers-color-scheme:dark){:root{--bg:#121518;--panel:#1b1f24;--ink:#e6e9ec;--muted:#98a2ad;--rule:#2f353c;
--c1:#58aee8;--c2:#f0b040;--c3:#f0845a;--c4:#3cc39a;--c5:#d993c2;--c6:#77818c;--good:#3cc39a;--bad:#f0845a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:68rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.15rem;margin:0 0 .9rem;font-weight:650}
h3{font-size:1rem;margin:1.4rem 0 .5rem;font-weight:600}
p{margin:.4rem 0}
a{color:var(--c1)}
section{border-top:1px solid var(--rule);padding:1.6rem 0 .7rem}
section.first{border:0;padding-top:1rem}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
.muted,.summary,.note,footer{color:var(--muted)}
.lead{margin:0 0 .2rem}
.pill{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-size:.85rem;font-weight:600;border:1px solid currentColor;vertical-align:.2em;margin-left:.4rem;white-space:nowrap}
.pill.complete{color:var(--good)}.pill.running{color:var(--c1)}.pill.paused,.pill.unfinished{color:var(--bad)}.pill.empty{color:var(--muted)}
nav{margin:.9rem 0 0;font-size:.9rem;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:.8rem 0 0}
dl.facts dt{color:var(--muted)}dl.facts dd{margin:0;min-width:0}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:.8rem;margin:1rem 0 0}
.tile{background:var(--panel);border-radius:.5rem;padding:.75rem .95rem .7rem;min-width:0}
.tile .k{font-size:.82rem;color:var(--muted)}
.tile .v{font-size:1.5rem;line-height:1.25;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tile .s{font-size:.82rem;color:var(--muted);line-height:1.35}
.stack{display:flex;height:1.1rem;border-radius:.3rem;overflow:hidden;background:var(--panel);margin:1.1rem 0 .5rem;gap:1px}
.stack div{min-width:2px}
.legend{display:inline-flex;flex-wrap:wrap;gap:0 .9rem;font-size:.85rem;color:var(--muted);margin-left:.4rem}
.legend i{display:inline-block;width:.75em;height:.75em;border-radius:.15em;margin-right:.35em;background:currentColor}
.c1{color:var(--c1);fill:var(--c1)}.c2{color:var(--c2);fill:var(--c2)}.c3{color:var(--c3);fill:var(--c3)}
.c4{color:var(--c4);fill:var(--c4)}.c5{color:var(--c5);fill:var(--c5)}.c6{color:var(--c6);fill:var(--c6)}
.stack div,.bar div{background:currentColor}
figure{margin:0 0 1.2rem;break-inside:avoid}
figcaption{margin-bottom:.3rem}
.summary{display:block;font-size:.9rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 2.5rem}
.pair>*{min-width:0}
.plot{position:relative;height:11rem;margin:.7rem .3rem 2.9rem var(--gutter);font-size:.76rem;color:var(--muted);font-variant-numeric:tabular-nums}
.plot.marked{margin-top:1.7rem}
.plot svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible;display:block}
.plot path{fill:none;vector-effect:non-scaling-stroke;stroke-width:1}
.plot .grid{stroke:var(--rule)}.plot .base{stroke:var(--muted)}
.plot .line{stroke:currentColor;stroke-width:2;stroke-linejoin:round}
.plot .thick{stroke-width:3}
.plot .dashed{stroke-dasharray:3 4;stroke-width:1.5}
.plot .fill{fill:currentColor;opacity:.14}
.plot .limit{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:7 4}
.plot .goal{stroke:var(--muted);stroke-dasharray:2 4}
.plot .marker{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3}
.plot .gap{fill:var(--rule);opacity:.55}
.plot rect:hover,.plot g:hover rect{opacity:.75}
.plot span{position:absolute;white-space:nowrap;line-height:1.25}
.plot .y{right:100%;margin-right:.5em;transform:translateY(50%)}
.plot .x{top:100%;margin-top:.4em;transform:translateX(-50%);text-align:center}
.plot .x.at-left{transform:none;text-align:left}
.plot .x.at-right{transform:translateX(-100%);text-align:right}
.plot .mark{bottom:100%;transform:translateX(-50%);color:var(--ink);margin-bottom:.1em}
.plot .mark.at-right{transform:translateX(-100%)}.plot .mark.at-left{transform:none}
.plot .gap-label{top:50%;transform:translate(-50%,-50%) rotate(-90deg);font-size:.95em}
.plot .limit-label{right:0;color:var(--bad);background:var(--bg);padding:0 .3em;margin-bottom:.15em;border-radius:.2em;opacity:.92}
.plot .goal-label{right:0;padding:0 .3em;transform:translateY(100%)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;margin-bottom:.4rem}
th{font-weight:500;text-align:left}
thead th{color:var(--muted);font-size:.82rem;font-weight:500;border-bottom:1px solid var(--rule)}
td,th{padding:.28rem .7rem .28rem 0;vertical-align:top}
td:last-child,th:last-child{padding-right:0}
tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--rule)}
table.bars{margin-bottom:1.2rem}table.bars tbody th{min-width:5.4rem}
table.errors{margin-bottom:.4rem}table.errors th.mono{white-space:nowrap}
*+table.bars{margin-top:1.3rem}h2+table.bars{margin-top:0}
table.bars td.bar{width:38%;padding-top:.62rem}
table.bars .bar div{height:.62rem;border-radius:.15rem;min-width:1px}
table.bars thead th[colspan]{text-align:left}
td.n,table.numbers td+td,table.numbers th+th,.num{text-align:right;white-space:nowrap}
table.bars td.n{padding-left:.7rem}
table.bars td.note{padding-left:.6rem}
.note{font-size:.88rem}
td.range{min-width:7rem;width:30%}
td.range div{position:relative;height:.62rem;margin-top:.42rem;background:var(--panel);border-radius:.15rem}
td.range i{position:absolute;top:0;bottom:0;background:var(--c1);opacity:.4;min-width:1px}
td.range b{position:absolute;top:-.15rem;bottom:-.15rem;width:2px;margin-left:-1px;background:var(--c1)}
ul.notes{margin:0;padding:0;list-style:none}ul.notes li{padding:.25rem 0}
.scroll{overflow-x:auto;max-width:100%}
.scroll th,.scroll td{overflow-wrap:normal}
table.wilson caption{margin-top:.7rem}
details.data{font-size:.88rem;margin-top:-.3rem}
details.data .scroll{max-height:22rem;overflow-y:auto;margin-top:.4rem}
summary{cursor:pointer;color:var(--muted)}
details.problem{background:var(--panel);border-radius:.5rem;padding:.55rem .9rem;margin:.5rem 0}
details.problem>summary{color:var(--ink)}
details.problem>summary .muted{font-size:.9rem}
.tag{font-size:.82rem;font-weight:600;margin-right:.5rem;white-space:nowrap}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0 .8rem;padding:.6rem .75rem;background:var(--bg);border:1px solid var(--rule);border-radius:.35rem;max-height:24rem;overflow-y:auto}
bdi{unicode-bidi:isolate}
.messages{margin:0;padding:0;list-style:none}
table.runs td:last-child,table.runs th:last-child{text-align:left;white-space:normal;min-width:12rem}
footer{border-top:1px solid var(--rule);padding-top:1rem;padding-bottom:3rem;font-size:.86rem}
@media (max-width:640px){
body{font-size:14.5px}main,header,footer{padding-left:1rem;padding-right:1rem}header{padding-top:1.2rem}
h1{font-size:1.35rem}.pair{display:block}.wide{display:none}.plot{height:9.5rem}
.tiles{grid-template-columns:1fr 1fr;gap:.5rem}.tile{padding:.6rem .7rem}.tile .v{font-size:1.2rem}
dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.4rem}
td,th{padding-right:.5rem}
table.bars,table.bars tbody,table.bars caption{display:block}table.bars thead{display:none}
table.bars tbody tr{display:grid;grid-template-columns:minmax(0,7rem) minmax(0,1fr) minmax(4.5rem,max-content);padding:.25rem 0}
table.bars tbody tr+tr{border-top:1px solid var(--rule)}table.bars td,table.bars th{border:0!important;padding:.05rem 0}
table.bars td.bar{width:auto;padding:.42rem 0 0 .6rem}table.bars td.note{grid-column:1/-1;padding:0}
table.errors th.mono{white-space:normal}
table.errors,table.errors tbody,table.errors tr,table.errors td,table.errors th{display:block}table.errors thead{display:none}table.errors caption{display:block}
table.errors td,table.errors th{border:0!important;padding:.05rem 0;text-align:left}table.errors tr{padding:.45rem 0;border-top:1px solid var(--rule)}
table.errors td[data-k]::after{content:" " attr(data-k)}table.errors td[data-k]{display:inline-block;margin-right:.8rem;color:var(--muted)}
.legend{margin-left:0;display:flex}
table.wilson td.range,table.wilson th.range{display:none}
}
@media print{
:root{color-scheme:light;--bg:#fff;--panel:#f5f6f8;--ink:#000;--muted:#444;--rule:#ccc;--c1:#0a6eb0;--c2:#d98200;--c3:#c4400f;--c4:#00805c;--c5:#9a4f83;--c6:#8a939d;--good:#00704f;--bad:#b23a0b}
body{font-size:10pt}nav,details.data{display:none}main,header,footer{max-width:none;padding:0}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.tile,figure,table.bars,details.problem{break-inside:avoid}h2,h3{break-after:avoid}pre{max-height:none}
}
)css";

}  // namespace llmbatch
