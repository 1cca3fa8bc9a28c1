import { Resolver } from 'node:dns';
import * as ipaddr from 'ipaddr.js';

/**
 * The kinds of values that a setting can have. A kind parses the text from the environment, or says what it expected.
 * It does not know the name of the setting.
 */
export interface Kind<T> {
  parse(text: string): { value: T } | { expected: string };
}

export interface Setting<T> extends Kind<T> {
  /** In the form that the environment would have; undefined: the setting may stay unset. */
  default: string | undefined;
  /** Meaning and unit, the line in .env.example. */
  meaning: string;
}

/** A setting with a default, in the form that the environment would have. */
export const setting = <T>(kind: Kind<T>, fallback: string, meaning: string): Setting<T> => ({
  parse: (text) => kind.parse(text),
  default: fallback,
  meaning,
});

/** A setting that may stay unset. */
export const optional = <T>(kind: Kind<T>, meaning: string): Setting<T | undefined> => ({
  parse: (text) => kind.parse(text),
  default: undefined,
  meaning,
});

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  return {
    parse: (text) => {
      const value = Number(text);
      const ok = /^\d+$/.test(text) && value >= min && value <= max;
      return ok ? { value } : { expected: `a whole number from ${min} to ${max}` };
    },
  };
}

export function fraction(min: number, max: number): Kind<number> {
  return {
    parse: (text) => {
      const value = Number(text);
      const ok = /^\d+(\.\d+)?$/.test(text) && value >= min && value <= max;
      return ok ? { value } : { expected: `a number from ${min} to ${max}` };
    },
  };
}

export function oneOf<const T extends string>(...values: T[]): Kind<T> {
  return {
    parse: (text) => {
      const value = values.find((candidate) => candidate === text);
      return value === undefined ? { expected: `one of ${values.join(', ')}` } : { value };
    },
  };
}

export const boolean: Kind<boolean> = {
  parse: (text) => (text === 'true' || text === 'false' ? { value: text === 'true' } : { expected: 'true or false' }),
};

export const anyText: Kind<string> = {
  parse: (text) => ({ value: text }),
};

export function url(...protocols: string[]): Kind<string> {
  return {
    parse: (text) =>
      URL.canParse(text) && protocols.includes(new URL(text).protocol)
        ? { value: text }
        : { expected: `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}` },
  };
}

/** Exactly `count` bytes in base64 or base64url. */
export function base64Bytes(count: number): Kind<Buffer> {
  return {
    parse: (text) => {
      const value = Buffer.from(text, 'base64');
      const ok = /^[\w+/-]+={0,2}$/.test(text) && value.length === count;
      return ok ? { value } : { expected: `${count} bytes in base64 (openssl rand -base64 ${count})` };
    },
  };
}

/** Exactly `count` bytes in hex, base64 or base64url. */
export function keyBytes(count: number): Kind<Buffer> {
  return {
    parse: (text) => {
      if (/^[0-9a-fA-F]+$/.test(text) && text.length === 2 * count) return { value: Buffer.from(text, 'hex') };
      const parsed = base64Bytes(count).parse(text);
      return 'value' in parsed
        ? parsed
        : { expected: `${count} bytes in base64 or hex (openssl rand -base64 ${count})` };
    },
  };
}

/** A network such as `10.0.0.0/8` or `fd00::/8`. Not `10/8`, which the parser would read as 0.0.0.10/8. */
export const network: Kind<string> = {
  parse: (text) => {
    const isNetwork = ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || ipaddr.IPv6.isValidCIDR(text);
    return isNetwork ? { value: text } : { expected: 'a network in CIDR notation, such as 10.0.0.0/8' };
  },
};

/** The address of a name server, with or without a port. */
export const nameServer: Kind<string> = {
  parse: (text) => {
    try {
      new Resolver().setServers([text]);
      return { value: text };
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      return { expected: 'the address of a name server, such as 10.0.0.53, 10.0.0.53:5353 or [2001:db8::53]:53' };
    }
  },
};

/** A comma-separated list of items of one kind. Empty text is an empty list. */
export function listOf<T>(item: Kind<T>): Kind<T[]> {
  return {
    parse: (text) => {
      const values: T[] = [];
      for (const part of text === '' ? [] : text.split(',')) {
        const parsed = item.parse(part.trim());
        if ('expected' in parsed) return { expected: `a comma-separated list, each item ${parsed.expected}` };
        values.push(parsed.value);
      }
      return { value: values };
    },
  };
}
