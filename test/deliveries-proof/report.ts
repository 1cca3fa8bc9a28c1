/** The figures of one run, with their results. Each is one line. */
export class Report {
  private passed = true;

  /** @param prefix of every line */
  constructor(
    private readonly prefix: string,
    private readonly say: (line: string) => void,
  ) {}

  get hasPassed(): boolean {
    return this.passed;
  }

  /** A figure that has to be exactly this. */
  exactly(what: string, actual: number, expected: number): void {
    this.figure(`${what}: ${actual}, expected ${expected}`, actual === expected);
  }

  /** A figure with a bound. */
  figure(text: string, passes: boolean): void {
    this.passed &&= passes;
    this.line(passes ? 'PASS' : 'FAIL', text);
  }

  /** A figure for the reader. */
  note(text: string): void {
    this.line('    ', text);
  }

  private line(result: string, text: string): void {
    this.say(`${result} ${this.prefix}: ${text}`);
  }
}
