const XML_SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

/** Namespace declarations in scope: attribute name (`xmlns` or `xmlns:p`) → URI. */
export type Namespaces = ReadonlyMap<string, string>;

export const NO_NAMESPACES: Namespaces = new Map();

/** True for the attributes that declare a namespace. */
export function declaresNamespace(attribute: string): boolean {
  return attribute.startsWith('xmlns') && (attribute.length === 5 || attribute.charCodeAt(5) === 0x3a);
}

/** Returns the declarations in scope inside an element. `xmlns=""` ends the scope of a default namespace. */
export function withDeclarations(outer: Namespaces, attributes: Readonly<Record<string, string>>): Namespaces {
  let inner: Map<string, string> | undefined;
  for (const name in attributes) {
    if (!declaresNamespace(name)) continue;
    inner ??= new Map(outer);
    const uri = attributes[name] as string;
    if (uri === '') inner.delete(name);
    else inner.set(name, uri);
  }
  return inner ?? outer;
}

/**
 * True for `nil` of XML Schema with a true value. Its prefix is usually `xsi`, which is known without a declaration.
 * @param uriOf returns the URI of a declaration in scope
 */
export function isNil(attribute: string, value: string, uriOf: (declaration: string) => string | undefined): boolean {
  if (!attribute.endsWith(':nil') || !/^[ \t\r\n]*(true|1)[ \t\r\n]*$/.test(value)) return false;
  const prefix = attribute.slice(0, -4);
  const uri = uriOf(`xmlns:${prefix}`) ?? (prefix === 'xsi' ? XML_SCHEMA_INSTANCE : undefined);
  return uri === XML_SCHEMA_INSTANCE;
}

/**
 * Returns the declarations that JSON text made from XML may refer to: the default namespace, and each prefix that occurs
 * before a colon. That includes prefixes in values, as in `xsi:type="n:Order"`.
 */
export function referredTo(namespaces: Namespaces, json: string): Map<string, string> {
  const referred = new Map<string, string>();
  if (namespaces.size === 0) return referred;
  const keep = (name: string): void => {
    const uri = namespaces.get(name);
    if (uri !== undefined) referred.set(name, uri);
  };
  keep('xmlns');
  for (let colon = json.indexOf(':'); colon !== -1; colon = json.indexOf(':', colon + 1)) {
    let start = colon;
    while (start > 0 && isNameCharacter(json.charCodeAt(start - 1))) start -= 1;
    if (json.charCodeAt(start - 1) === 0x5c) start += 1; // the letter of an escape such as \n
    if (start < colon) keep(`xmlns:${json.slice(start, colon)}`);
  }
  return referred;
}

/** True for the characters of XML names, apart from the colon; roughly so beyond ASCII. */
function isNameCharacter(code: number): boolean {
  const letter = code | 0x20;
  const isAsciiName = (letter >= 0x61 && letter <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d;
  return isAsciiName || code === 0x2e || code === 0x5f || code >= 0x80;
}
