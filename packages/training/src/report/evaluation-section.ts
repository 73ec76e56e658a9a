import type { Evaluation, MeanScores } from './evaluation.ts';
import { html, type Html } from './html.ts';
import { count, counted, percent } from './words.ts';

/** Larger tables than this cannot be taken in. */
const MOST_CLASSES = 30;

/** Which classes are taken for which, and how well each is told from the others. */
export function evaluationSection({ on, result }: { on: string; result: Evaluation }): Html {
  const { samples, classNames, notes } = result;
  const pictures = `${counted(samples, 'picture')} (${on})`;
  return html`
    <section id="classes">
      <h2>Classes</h2>
      ${classNames.length > MOST_CLASSES ? confusions(result, pictures) : matrix(result, pictures)}
      ${scores(result)} ${notes.map((note) => html`<p class="faint">${note}</p>`)}
    </section>
  `;
}

function matrix({ confusion, classNames }: Evaluation, pictures: string): Html {
  const rows = confusion.map((row, truth) => {
    const support = row.reduce((sum, cell) => sum + cell, 0);
    const cells = row.map((cell, predicted) => {
      const share = support === 0 ? 0 : cell / support;
      const looks = [predicted === truth ? 'right' : '', share > 0.55 ? 'strong' : ''].join(' ').trim();
      return html`<td class="${looks}" style="--share: ${share.toFixed(3)}" title="${percent(share)}">
        ${count(cell)}
      </td>`;
    });
    return html`<tr>
      <th scope="row">${classNames[truth]}</th>
      ${cells}
    </tr>`;
  });
  return html`
    <p class="faint">
      Confusion matrix of ${pictures}: each row holds the pictures of one class, by what they were taken for.
    </p>
    <div class="scroll">
      <table class="confusion">
        <thead>
          <tr>
            <td></td>
            ${classNames.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  `;
}

/** The most frequent mistakes, where there are too many classes for a matrix. */
function confusions({ confusion, classNames }: Evaluation, pictures: string): Html {
  const pairs = confusion
    .flatMap((row, truth) => row.map((cell, predicted) => ({ truth, predicted, cell })))
    .filter(({ truth, predicted, cell }) => truth !== predicted && cell > 0)
    .sort((a, b) => b.cell - a.cell)
    .slice(0, MOST_CLASSES);
  return html`
    <p class="faint">The most frequent mistakes among ${pictures}.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">class</th>
          <th scope="col">taken for</th>
          <th scope="col" class="number">pictures</th>
        </tr>
      </thead>
      <tbody>
        ${pairs.map(
          ({ truth, predicted, cell }) =>
            html`<tr>
              <td>${classNames[truth]}</td>
              <td>${classNames[predicted]}</td>
              <td class="number">${count(cell)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  `;
}

function scores({ classes, macro, weighted, accuracy, samples }: Evaluation): Html {
  return html`
    <div class="scroll apart">
      <table class="scores">
        <thead>
          <tr>
            <th scope="col">class</th>
            ${['precision', 'recall', 'F1', 'pictures'].map((name) => html`<th scope="col" class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${classes.map((one) => scoreRow(one.name, one))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">accuracy</th>
            <td></td>
            <td></td>
            <td class="number">${accuracy.toFixed(3)}</td>
            <td class="number">${count(samples)}</td>
          </tr>
          ${scoreRow('mean over classes', macro)} ${scoreRow('mean weighted by pictures', weighted)}
        </tfoot>
      </table>
    </div>
  `;
}

function scoreRow(name: string, { precision, recall, f1, support }: MeanScores): Html {
  const cells = [precision, recall, f1].map((score) => html`<td class="number">${score.toFixed(3)}</td>`);
  return html`<tr>
    <th scope="row">${name}</th>
    ${cells}
    <td class="number">${count(support)}</td>
  </tr>`;
}
