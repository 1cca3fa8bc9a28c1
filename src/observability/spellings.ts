const XML_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Returns the ways in which a text is written in a body: as it is, in JSON, in a form, and in XML. One character
 * stands for one byte of UTF-8.
 */
export function spellingsOf(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const form = new URLSearchParams([['', text]]).toString().slice(1);
  const spellings = [
    text,
    json,
    json.replaceAll('/', '\\/'),
    inAscii(json),
    inAscii(json).replaceAll('/', '\\/'),
    form,
    withLowerCaseEscapes(form),
    encodeURIComponent(text.toWellFormed()),
    text.replace(/[&<>"]/g, (c) => XML_ENTITIES[c] as string),
  ];
  const unique = new Set(spellings.map((spelling) => Buffer.from(spelling).toString('latin1')));
  return [...unique].sort((a, b) => b.length - a.length);
}

function inAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function withLowerCaseEscapes(form: string): string {
  return form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}
