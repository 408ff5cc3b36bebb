// Colours are variables, so that dark pages and paper need no second set of rules. The eight of the
// charts are Okabe and Ito's, darker on light ground and lighter on dark.
#include "report/page_style.hpp"

namespace svrg::app::reporting {

std::string_view page_style() {
  return R"css(
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--grid:#e9edf1;
--good:#0a7a4b;--fair:#9a6200;--bad:#c0362c;--open:#3862b3;--shade:#1b1f240d;--cell:#0072b2;--miss:#c24e00;
--p0:#0067a8;--p1:#c24e00;--p2:#00855f;--p3:#b0508c;--p4:#c88a00;--p5:#3f9ed6;--p6:#77808a;--p7:#7a4a1e}
@media(prefers-color-scheme:dark){:root{--ground:#0f1318;--card:#171c23;--ink:#e7ebf0;--soft:#9aa5b1;
--line:#2d353f;--grid:#252c35;--good:#4cc38a;--fair:#e5a93b;--bad:#ff8577;--open:#86b0ff;--shade:#ffffff0d;
--cell:#56b4e9;--miss:#ff9a57;--p0:#56b4e9;--p1:#ff8f4a;--p2:#3ecf9f;--p3:#e79bcb;--p4:#f2c14b;--p5:#9ed8ff;
--p6:#97a1ac;--p7:#d3a878}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--ground);color:var(--ink);line-height:1.5;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 clamp(14px,3vw,32px)}
header{padding-top:34px}
.kind{margin:0;color:var(--soft);font-size:13px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:2px 0 4px;font-size:clamp(24px,4vw,34px);line-height:1.2;overflow-wrap:anywhere}
.sub{margin:0 0 18px;color:var(--soft);overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;padding:10px 0;border-top:1px solid var(--line);
border-bottom:1px solid var(--line)}
nav a{color:inherit;text-decoration:none;font-size:15px}
nav a:hover,nav a:focus-visible{text-decoration:underline;text-underline-offset:4px}
a{color:var(--p0)}
h2{margin:44px 0 6px;font-size:23px}
h3{margin:0 0 8px;font-size:16px;overflow-wrap:anywhere}
.lead{margin:0 0 14px;color:var(--soft);max-width:80ch;overflow-wrap:anywhere}
.figures,.verdicts{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));
align-items:stretch}
.verdicts{margin-top:12px}
figure,.block,.verdict{margin:0;padding:18px;background:var(--card);border:1px solid var(--line);
border-radius:10px;min-width:0}
figure{display:flex;flex-direction:column}figure .data{margin-top:auto;padding-top:10px}
figure.wide,.block.wide,.absent{grid-column:1/-1}
.pictures{display:grid;gap:14px 22px;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}
.pictures svg{width:100%;height:auto;max-width:620px;margin:0 auto;display:block}
figcaption,.under,.remark,.absent{color:var(--soft);font-size:14px;margin:10px 0 0;overflow-wrap:anywhere}
.absent{margin:0;padding:10px 18px;border:1px dashed var(--line);border-radius:10px}
.legend{display:flex;flex-wrap:wrap;gap:3px 16px;margin:0 0 8px;padding:0;list-style:none;font-size:14px}
.legend li{display:flex;align-items:center;gap:6px;overflow-wrap:anywhere;min-width:0}
.swatch{width:26px;height:12px;flex:none}.swatch.square{width:12px}
.defs{position:absolute}
svg text{font-family:inherit;font-variant-numeric:tabular-nums}
.tick,.rule-text,.number{font-size:11.5px;fill:var(--soft)}.label{font-size:12.5px;fill:var(--ink)}
.rule-text{font-style:italic}
.number{fill:var(--ink)}.number.none{fill:var(--soft);fill-opacity:.6}.number.strong{fill:var(--card);font-weight:600}
.grid{stroke:var(--grid)}.axis{stroke:var(--soft)}
.rule{stroke:var(--soft);stroke-dasharray:2 3}
.shade{fill:var(--shade)}
.c0{--c:var(--p0)}.c1{--c:var(--p1)}.c2{--c:var(--p2)}.c3{--c:var(--p3)}
.c4{--c:var(--p4)}.c5{--c:var(--p5)}.c6{--c:var(--p6)}.c7{--c:var(--p7)}
.line{fill:none;stroke:var(--c);stroke-width:1.9;stroke-linejoin:round}
.dash{stroke-dasharray:7 4}.dots{stroke-dasharray:2 3.5}
.mark{fill:var(--c);stroke:var(--card);stroke-width:.9}.mark.hollow{fill:var(--card);stroke:var(--c);stroke-width:1.6}
.band{fill:var(--c);fill-opacity:.18}
.bar{fill:var(--c);stroke:var(--card);stroke-width:.6}
.hatch{fill:url(#hatch);pointer-events:none}.stripe{fill:var(--card);fill-opacity:.75}
.cell{stroke:var(--grid)}.cell.right{fill:var(--cell)}.cell.wrong{fill:var(--miss)}
.verdict{border-left:5px solid var(--tone);grid-column:1/-1}
.verdict.good{--tone:var(--good)}.verdict.fair{--tone:var(--fair)}
.verdict.bad{--tone:var(--bad)}.verdict.open{--tone:var(--open)}
.badge{margin:0 0 6px;color:var(--tone);font-weight:650;font-size:17px}
.say{margin:0;font-size:17px;max-width:75ch;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:12px 18px;margin:18px 0 0}
.tiles div{min-width:0;border-top:1px solid var(--line);padding-top:8px}
.tiles dt{color:var(--soft);font-size:13px}
.tiles dd{margin:0;font-size:19px;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.tiles dd.note{font-size:12.5px;font-weight:400;color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;min-width:50%}
th,td{padding:5px 14px 5px 0;text-align:left;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{color:var(--soft);font-weight:500;border-bottom-color:var(--line)}
tbody th{font-weight:500}
table:not(.numbers) td,table:not(.numbers) th{overflow-wrap:anywhere}
table:not(.numbers) tbody th{white-space:nowrap;overflow-wrap:normal}
.numbers tbody th{white-space:nowrap}.numbers td{text-align:right;white-space:nowrap}.numbers thead th:not(:first-child){text-align:right}
details{margin-top:10px;font-size:14px}summary{cursor:pointer;color:var(--soft)}
details p{margin:6px 0}
pre{margin:8px 0 0;padding:12px;max-height:340px;overflow:auto;background:var(--ground);border:1px solid var(--line);
border-radius:6px;font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre.command{margin:0 0 12px;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{padding-top:36px;padding-bottom:40px;color:var(--soft);font-size:13px}
:focus-visible{outline:2px solid var(--p0);outline-offset:2px}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#ddd;--p0:#0067a8;
--p1:#c24e00;--p2:#00855f;--p3:#b0508c;--p4:#c88a00;--p5:#3f9ed6;--p6:#77808a;--p7:#7a4a1e;--cell:#0072b2;
--miss:#c24e00;--good:#0a7a4b;--fair:#9a6200;--bad:#c0362c}
body{font-size:11pt}.scroll{overflow:visible}table{font-size:9pt}nav,details.data{display:none}header,main,footer{max-width:none;padding:0}
figure,.block,.verdict,tr{break-inside:avoid}h2,h3{break-after:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
)css";
}

}  // namespace svrg::app::reporting
