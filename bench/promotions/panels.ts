export interface Panel {
  readonly title: string;
  readonly line: readonly { readonly x: number; readonly y: number }[];
}

const width = 720;
const panelHeight = 150;
const left = 60;
const right = 20;
const top = 28;
const bottom = 26;

/** The next number above a value that is one of 1, 2, 2.5, 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= value) as number;
}

function drawPanel({ title, line }: Panel, index: number): string {
  const y0 = index * panelHeight;
  const xMax = Math.max(...line.map(({ x }) => x));
  const yMax = roundUp(Math.max(...line.map(({ y }) => y)));
  const place = (x: number, y: number): string =>
    `${(left + (x / xMax) * (width - left - right)).toFixed(1)},${(y0 + top + (1 - y / yMax) * (panelHeight - top - bottom)).toFixed(1)}`;
  const rules = [0, yMax / 2, yMax].map((y) => {
    const [x, at] = place(0, y).split(",") as [string, string];
    return `<path d="M${x},${at}H${width - right}" class="rule"/><text x="${left - 6}" y="${Number(at) + 4}" text-anchor="end">${y}</text>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const [x] = place(share * xMax, 0).split(",") as [string];
    return `<text x="${x}" y="${y0 + panelHeight - 8}" text-anchor="middle">${(share * xMax).toLocaleString("en-US")}</text>`;
  });
  const points = line.map(({ x, y }) => place(x, y)).join(" ");
  return `<text x="${left}" y="${y0 + 18}" class="title">${title}</text>${rules.join("")}${ticks.join("")}<polyline points="${points}"/>`;
}

/** Lines over the same axis, each in a panel of its own that begins at zero, as an SVG document. */
export function drawPanels(axis: string, panels: readonly Panel[]): string {
  const height = panels.length * panelHeight + 20;
  const style =
    "text{font:11px sans-serif;fill:#555}.title{font-size:12px;fill:#111}.rule{stroke:#ddd}polyline{fill:none;stroke:#1f5fa8;stroke-width:1.5}";
  const body = panels.map(drawPanel).join("\n");
  const label = `<text x="${width / 2}" y="${height - 6}" text-anchor="middle">${axis}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>${style}</style><rect width="100%" height="100%" fill="#fff"/>
${body}
${label}
</svg>
`;
}
