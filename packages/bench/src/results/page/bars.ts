import { BarChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { chartColors } from './colors.ts';

use([BarChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer]);

/** Bars from left to right, a group of them for each case. */
export interface Bars {
  /** Begins the ids inside the SVG, which must differ between the charts of one page. */
  readonly id: string;
  /** What is measured, below the axis. */
  readonly axis: string;
  /** Names of the cases, from the top. */
  readonly cases: readonly string[];
  /** One value for each case; null where there is none, with what to write in its place. */
  readonly series: readonly {
    readonly name: string;
    readonly color: string;
    readonly values: readonly (number | null)[];
    readonly missing: readonly string[];
  }[];
  readonly format: (value: number) => string;
  /** Powers of ten are equally far apart. */
  readonly logarithmic: boolean;
  /** An upright line. */
  readonly mark?: number;
}

const WIDTH = 880;
const LABEL = 300;
const BAR = 15;
const font = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** Draws bars as SVG text, without a browser. */
export function drawBars({ id, axis, cases, series, format, logarithmic, mark }: Bars): string {
  const height = cases.length * (series.length * BAR + 14) + 90;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  const values = series.flatMap((one) => one.values.filter((value) => value !== null));
  // Bars on a logarithmic axis begin at 1 and go to the left for less.
  const origin = logarithmic ? 1 : 0;
  const floor = logarithmic ? 10 ** Math.floor(Math.log10(Math.min(0.5, ...values))) : 0;
  const label = { color: chartColors.text, fontSize: 12, fontFamily: font };
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: font },
      legend: {
        top: 0,
        left: LABEL,
        itemGap: 20,
        textStyle: label,
        data: series.map(({ name }) => name),
        selectedMode: false,
      },
      grid: { left: LABEL, right: 90, top: 34, bottom: 50 },
      xAxis: {
        type: logarithmic ? 'log' : 'value',
        min: floor,
        name: axis,
        nameLocation: 'middle',
        nameGap: 30,
        nameTextStyle: label,
        axisLabel: { ...label, formatter: format, hideOverlap: true },
        splitLine: { lineStyle: { color: chartColors.grid } },
      },
      yAxis: {
        type: 'category',
        inverse: true,
        data: [...cases],
        axisTick: { show: false },
        axisLine: { lineStyle: { color: chartColors.faint } },
        axisLabel: { ...label, width: LABEL - 75, overflow: 'break', lineHeight: 14 },
      },
      series: series.map(({ name, color, values: own, missing }, index) => ({
        type: 'bar',
        name,
        silent: true,
        color,
        barWidth: BAR - 3,
        barGap: '20%',
        data: own.map((value, i) => ({
          // What is missing is a bar of no length with words beside it.
          value: value ?? origin,
          label: { formatter: value === null ? (missing[i] ?? '') : format(value) },
        })),
        label: { show: true, position: 'right', color: chartColors.text, fontSize: 11, fontFamily: font },
        ...(mark === undefined || index > 0
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                label: { show: false },
                lineStyle: { color: chartColors.text, type: 'solid', width: 1 },
                data: [{ xAxis: mark }],
              },
            }),
      })),
    });
    return tidy(chart.renderToSVGString(), id);
  } finally {
    chart.dispose();
  }
}

/** Takes out what only serves a mouse, gives the ids a name of their own, and lets the page choose text colours. */
function tidy(svg: string, id: string): string {
  return svg
    .replace(/<style ?>.*<\/style>/s, '')
    .replaceAll(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, '')
    .replaceAll(/\bzr\d+-(?=c\d)/g, `${id}-`)
    .replace(/<svg width="(\d+)" height="(\d+)"/, '<svg viewBox="0 0 $1 $2"')
    .replace(/<rect width="\d+" height="\d+" x="0" y="0" fill="none"><\/rect>/, '')
    .replaceAll(chartColors.text, 'var(--text)')
    .replaceAll(chartColors.faint, 'var(--faint)')
    .replaceAll(chartColors.grid, 'var(--line)');
}
