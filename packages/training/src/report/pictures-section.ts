import { thumbnail } from '@convbase/data';
import type { Evaluation, Mistake } from './evaluation.ts';
import { html, type Html } from './html.ts';
import { counted, percent } from './words.ts';

const SIZE = 152;

/** The pictures whose right class got least. */
export async function picturesSection(
  { mistakes, classNames }: Evaluation,
  pictureOf: (index: number) => string | undefined,
  most: number,
): Promise<Html | undefined> {
  const shown = mistakes.slice(0, most);
  if (shown.length === 0) return undefined;
  const figures: Html[] = [];
  for (const mistake of shown) figures.push(await figure(mistake, pictureOf(mistake.index), classNames));
  const rest =
    mistakes.length > shown.length ? ` Of ${counted(mistakes.length, 'mistake')} these are the worst.` : '';
  return html`
    <section id="wrong">
      <h2>Most wrong pictures</h2>
      <p class="faint">The right class got the least probability here.${rest}</p>
      <div class="pictures">${figures}</div>
    </section>
  `;
}

async function figure(
  { truth, predicted, confidence, index }: Mistake,
  path: string | undefined,
  classNames: readonly string[],
): Promise<Html> {
  const name = path === undefined ? `picture ${index + 1}` : path.split(/[/\\]/).slice(-2).join('/');
  return html`
    <figure>
      ${await image(path, name)}
      <figcaption>
        <b>${classNames[truth]}</b>, taken for
        <b>${classNames[predicted]}</b> (${percent(confidence)})<br />${name}
      </figcaption>
    </figure>
  `;
}

/** What cannot be shown any more is said so in its place. */
async function image(path: string | undefined, name: string): Promise<Html> {
  if (path === undefined) return html`<div class="missing faint">no file</div>`;
  try {
    const { data, type, width, height } = await thumbnail(path, SIZE * 2);
    const source = `data:${type};base64,${Buffer.from(data).toString('base64')}`;
    return html`<img src="${source}" width="${width}" height="${height}" alt="${name}" />`;
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return html`<div class="missing faint">${reason}</div>`;
  }
}
