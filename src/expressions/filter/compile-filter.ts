import { didYouMean } from '../../event/did-you-mean';
import { ExactNumber } from '../../event/json/exact-json';
import { canonicalJson } from '../../event/json/canonical-json';
import { childPointer } from '../../event/json/json-text';
import { isObject, isSameScalar, isScalar } from './compare';
import { OPERATORS, type Test } from './operators';

/** A compiled filter. */
export interface Filter {
  /**
   * True when the value passes. A value of JsonDocument.exact is compared exactly; numbers of JSON.parse are rounded.
   */
  matches(value: unknown): boolean;
}

/** What is wrong at one place of a filter. */
export interface FilterError {
  pointer: string;
  message: string;
}

/** Nesting levels of a filter. They bound the recursion of the compiler and of the tests that it makes. */
const MAX_DEPTH = 16;
/** Size of a filter as JSON. */
const MAX_BYTES = 8_192;
/** Conditions of a filter. Each may be compared with every element of an array. */
const MAX_CONDITIONS = 100;
const MAX_ERRORS = 20;

const LOGICAL = ['$and', '$or', '$not'];

/**
 * Compiles a filter such as `{ "payload": { "amount": { "$gt": 100 } } }`. An empty object lets everything pass.
 * @param json a value of JSON.parse or of parseExact
 */
export function compileFilter(json: unknown): Filter | { errors: FilterError[] } {
  const compiler = new FilterCompiler();
  const test = compiler.compile(json);
  return compiler.errors.length > 0 ? { errors: compiler.errors } : { matches: test };
}

class FilterCompiler {
  readonly errors: FilterError[] = [];
  private conditions = 0;

  compile(json: unknown): Test {
    if (isDeeperThan(json, MAX_DEPTH)) return this.fail('', `must not be nested deeper than ${MAX_DEPTH} levels`);
    const bytes = Buffer.byteLength(canonicalJson(json));
    if (bytes > MAX_BYTES) return this.fail('', `must be at most ${MAX_BYTES} bytes of JSON, but has ${bytes}`);
    if (isObject(json) && Object.keys(json).length === 0) return () => true;
    return this.condition(json, '', true);
  }

  /** @param isRoot true where the condition is about the whole value, which has no name */
  private condition(json: unknown, pointer: string, isRoot: boolean): Test {
    this.conditions += 1;
    if (this.conditions === MAX_CONDITIONS + 1) this.fail('', `must not have more than ${MAX_CONDITIONS} conditions`);
    if (isRoot && !isObject(json)) return this.fail(pointer, 'must be an object that names fields');
    if (json instanceof ExactNumber) return inArrayOr((value) => isSameScalar(value, json));
    if (isScalar(json)) return inArrayOr((value) => value === json); // ten times as fast in a long array
    if (Array.isArray(json)) return this.list(json, pointer);
    return isObject(json) ? this.object(json, pointer, isRoot) : this.fail(pointer, 'must be a JSON value');
  }

  /** Each condition of the list must be true of some element of an array. */
  private list(json: readonly unknown[], pointer: string): Test {
    if (json.length === 0) return this.fail(pointer, 'must not be empty: write { "$eq": [] } for an empty array');
    const tests = this.each(json, pointer, false);
    return (value) => Array.isArray(value) && tests.every((test) => value.some(test));
  }

  private each(json: readonly unknown[], pointer: string, isRoot: boolean): Test[] {
    return json.map((item, i) => this.condition(item, childPointer(pointer, String(i)), isRoot));
  }

  private object(json: Record<string, unknown>, pointer: string, isRoot: boolean): Test {
    const tests: Test[] = [];
    const fields: [string, Test][] = [];
    for (const [name, operand] of Object.entries(json)) {
      const at = childPointer(pointer, name);
      if (LOGICAL.includes(name)) tests.push(this.logical(name, operand, at, isRoot));
      else if (name.startsWith('$')) tests.push(this.operator(name, operand, at, isRoot));
      else fields.push([name, this.condition(operand, at, false)]);
    }
    if (fields.length > 0) tests.push(inArrayOr(withFields(fields)));
    if (tests.length === 0) return this.fail(pointer, 'must not be empty: write { "$exist": true } for any value');
    return tests.length === 1 ? (tests[0] as Test) : (value) => tests.every((test) => test(value));
  }

  private logical(name: string, operand: unknown, pointer: string, isRoot: boolean): Test {
    if (name === '$not') {
      if (isObject(operand) && Object.hasOwn(operand, '$exist')) {
        return this.fail(pointer, 'must not contain $exist: write { "$exist": false } or { "$exist": true } instead');
      }
      const test = this.condition(operand, pointer, isRoot);
      return (value) => value !== undefined && !test(value); // of a missing field only $exist can be true
    }
    if (!Array.isArray(operand) || operand.length === 0) {
      return this.fail(pointer, 'must be a list of conditions that is not empty');
    }
    const tests = this.each(operand, pointer, isRoot);
    if (name === '$and') return (value) => tests.every((test) => test(value));
    return (value) => tests.some((test) => test(value));
  }

  private operator(name: string, operand: unknown, pointer: string, isRoot: boolean): Test {
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (!operator) return this.fail(pointer, unknownOperator(name));
    if (isRoot) return this.fail(pointer, 'must be inside a field: name the field that it is about');
    if (!operator.accepts(operand)) return this.fail(pointer, `must be ${operator.operand}`);
    return operator.test(operand as never);
  }

  private fail(pointer: string, message: string): Test {
    if (this.errors.length < MAX_ERRORS) this.errors.push({ pointer, message });
    return () => false;
  }
}

function unknownOperator(name: string): string {
  const known = [...Object.keys(OPERATORS), ...LOGICAL];
  if (name === '$regex')
    return 'is not an operator: there are no regular expressions, only $startsWith, $endsWith, $in';
  const meant = didYouMean(name, known);
  return `is not an operator: ${meant === undefined ? `the operators are ${known.join(', ')}` : `did you mean ${meant}?`}`;
}

function withFields(fields: readonly (readonly [string, Test])[]): Test {
  return (value) =>
    isObject(value) && fields.every(([name, test]) => test(Object.hasOwn(value, name) ? value[name] : undefined));
}

/** Tests the value, or the elements of an array, and of the arrays in it, until one passes. No recursion. */
function inArrayOr(test: Test): Test {
  return (value) => {
    if (!Array.isArray(value)) return test(value);
    const open: unknown[][] = [value];
    for (let array = open.pop(); array; array = open.pop()) {
      for (const item of array) {
        if (Array.isArray(item)) open.push(item);
        else if (test(item)) return true;
      }
    }
    return false;
  };
}

/** No recursion beyond the limit. */
function isDeeperThan(json: unknown, levels: number): boolean {
  if (isScalar(json) || typeof json !== 'object' || json === null) return false;
  return levels === 0 || Object.values(json).some((part) => isDeeperThan(part, levels - 1));
}
