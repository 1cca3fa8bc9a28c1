import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { CliError } from '../cli-error';
import { factLines, tableLines, type Cell } from './table';

/** A stream that may be a terminal. */
export type Terminal = Writable & { isTTY?: boolean };
type Style = Parameters<typeof styleText>[0];

/** What the environment says about colours: https://no-color.org, and FORCE_COLOR as in Node.js. */
export function wantsColour(isTty: boolean, env: Record<string, string | undefined>): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return isTty && env.TERM !== 'dumb';
}

/** Colours of states. What is not here is shown plainly. */
const STATE_STYLES: Record<string, Style> = {
  ...Object.fromEntries(['COMPLETED', 'DELIVERED', 'active', 'accepted', 'ok', 'up', 'ready'].map((s) => [s, 'green'])),
  ...Object.fromEntries(['DLQ', 'FAILED', 'disabled', 'rejected', 'error', 'down', 'critical'].map((s) => [s, 'red'])),
  ...Object.fromEntries(
    ['RETRYING', 'DELIVERING', 'PARKED', 'paused', 'duplicate', 'warning', 'degraded'].map((s) => [s, 'yellow']),
  ),
};

/**
 * Everything that the commands print. Results go to stdout: text for people or, with `--json`, one JSON document a line.
 * What is said beside the result goes to stderr, so that a pipe gets results only.
 */
export class Output {
  constructor(
    private readonly stdout: Terminal,
    private readonly stderr: Terminal,
    private readonly env: Record<string, string | undefined>,
    readonly isJson: boolean,
  ) {}

  /** One document for scripts, or what `human` prints. A text is JSON already, and is passed on exactly. */
  result(document: string | object, human: () => void): void {
    if (!this.isJson) human();
    else this.line(typeof document === 'string' ? document.trim() : JSON.stringify(document));
  }

  line(text = ''): void {
    this.stdout.write(`${text}\n`);
  }

  /** A table, or the sentence if there are no rows. */
  table(titles: readonly string[], rows: readonly (readonly Cell[])[], whenEmpty: string): void {
    if (rows.length === 0) return this.note(whenEmpty);
    const [head = '', ...lines] = tableLines(titles, rows);
    this.line(this.styled('bold', head));
    for (const line of lines) this.line(this.withStates(line));
  }

  facts(facts: readonly (readonly [string, Cell])[]): void {
    for (const line of factLines(facts)) this.line(this.withStates(line));
  }

  /** Beside the result: progress, hints, and what was done. */
  note(text: string): void {
    this.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    this.stderr.write(`${this.styled('yellow', 'warning:', this.stderr)} ${text}\n`);
  }

  failure(error: CliError): void {
    const { message, exitCode, facts } = error;
    if (this.isJson) this.stderr.write(`${JSON.stringify({ error: { message, exitCode, ...facts } })}\n`);
    else this.stderr.write(`${this.styled('red', 'error:', this.stderr)} ${message}\n`);
  }

  styled(style: Style, text: string, stream: Terminal = this.stdout): string {
    return wantsColour(stream.isTTY === true, this.env) ? styleText(style, text, { validateStream: false }) : text;
  }

  state(state: string): string {
    const style = STATE_STYLES[state];
    return style === undefined ? state : this.styled(style, state);
  }

  private withStates(line: string): string {
    return line.replace(/(?<=^| )[A-Za-z]+(?= |$)/g, (word) => this.state(word));
  }
}
