import { LineChart, type LineSeriesOption } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { chartColors } from './chart-colors.ts';

use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

export interface Series {
  readonly name: string;
  readonly kind: 'training' | 'validation';
  /** One value for each x; null is a gap. */
  readonly raw: readonly (number | null)[];
  readonly smoothed?: readonly (number | null)[];
}

export interface Chart {
  /** Begins the ids inside the SVG, which must differ between the charts of one page. */
  readonly id: string;
  readonly title: string;
  /** A small line below the title. */
  readonly note: string;
  /** Whole numbers, one for each value. */
  readonly x: readonly number[];
  readonly xName: string;
  readonly series: readonly Series[];
  /** Upright lines before an x, such as the beginning of a stage. */
  readonly marks: readonly { readonly x: number; readonly text: string }[];
}

const size = { width: 640, height: 400 };
const font = "'DejaVu Sans', Verdana, sans-serif";

/** Training is a line with dots, validation a dashed one with squares: they differ without colour, too. */
const looks = {
  training: { symbol: 'circle', dash: 'solid' },
  validation: { symbol: 'rect', dash: 'dashed' },
} as const;

/** Draws a chart as SVG text, without a browser. */
export function drawChart({ id, title, note, x, xName, series, marks }: Chart): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  const axis = {
    axisLine: { show: true, lineStyle: { color: chartColors.faint } },
    axisTick: { show: true, lineStyle: { color: chartColors.faint } },
    axisLabel: { color: chartColors.text, fontSize: 12 },
    nameTextStyle: { color: chartColors.text, fontSize: 13 },
    nameLocation: 'middle',
  } as const;
  try {
    chart.setOption({
      animation: false,
      backgroundColor: chartColors.background,
      textStyle: { fontFamily: font },
      title: {
        text: title,
        subtext: note,
        left: 'center',
        top: 8,
        itemGap: 4,
        textStyle: { fontSize: 16, color: chartColors.text },
        subtextStyle: { fontSize: 11, color: chartColors.faint },
      },
      legend: {
        bottom: 6,
        itemWidth: 34,
        itemGap: 32,
        textStyle: { color: chartColors.text, fontSize: 12 },
        data: series.map(({ name }) => name),
      },
      grid: { left: 64, right: 24, top: 60, bottom: 76, containLabel: false },
      xAxis: {
        ...axis,
        type: 'category',
        data: x.map(String),
        boundaryGap: x.length === 1,
        axisTick: { ...axis.axisTick, alignWithLabel: true },
        name: xName,
        nameGap: 28,
      },
      yAxis: {
        ...axis,
        type: 'value',
        name: title,
        nameGap: 46,
        scale: true,
        splitLine: { lineStyle: { color: chartColors.grid } },
      },
      series: series.flatMap((one, index) => linesOf(one, x, index === 0 ? marks : [])),
    });
    return tidy(chart.renderToSVGString(), id);
  } finally {
    chart.dispose();
  }
}

/** The line that counts, strong; where it is a smoothed one, the raw values faint behind it. */
function linesOf(
  { name, kind, raw, smoothed }: Series,
  x: readonly number[],
  marks: Chart['marks'],
): LineSeriesOption[] {
  const color = chartColors[kind];
  const { symbol, dash } = looks[kind];
  const common = { type: 'line', color, symbol, silent: true } as const;
  const marked: Pick<LineSeriesOption, 'markLine'> = marks.length === 0 ? {} : { markLine: markLine(marks) };
  // A lone point has no line; many would hide it.
  const showSymbol = x.length <= 40;
  if (smoothed === undefined) {
    const line = { ...common, ...marked, name, showSymbol, symbolSize: 6, data: [...raw] };
    return [{ ...line, lineStyle: { width: 2.5, type: dash } }];
  }
  const faint = { width: 1, type: dash, opacity: 0.35 };
  return [
    {
      ...common,
      name: `${name}, each epoch`,
      data: [...raw],
      symbolSize: 4,
      showSymbol,
      lineStyle: faint,
      itemStyle: { opacity: 0.45 },
    },
    {
      ...common,
      ...marked,
      name,
      data: [...smoothed],
      showSymbol: x.length === 1,
      symbolSize: 6,
      lineStyle: { width: 2.5, type: dash },
    },
  ];
}

function markLine(marks: Chart['marks']): NonNullable<LineSeriesOption['markLine']> {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: chartColors.faint, type: 'dotted', width: 1.5 },
    label: {
      color: chartColors.text,
      fontSize: 11,
      position: 'insideEndTop',
      rotate: 90,
      width: 150,
      overflow: 'truncate',
      formatter: '{b}',
    },
    data: marks.map(({ x, text }) => ({ xAxis: String(x), name: text })),
  };
}

/** Takes out what only serves a mouse, and the running numbers: the same chart is always the same text. */
function tidy(svg: string, id: string): string {
  return svg
    .replace(/<style ?>.*<\/style>/s, '')
    .replaceAll(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, '')
    .replaceAll(/\bzr\d+-(?=c\d)/g, `${id}-`);
}
