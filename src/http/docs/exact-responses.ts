/** The parts of Swagger UI that the plugin uses. */
interface SwaggerSystem {
  React: { createElement: (type: unknown, props: object | null, ...children: unknown[]) => unknown };
}
interface ResponseBodyProps {
  content: unknown;
  contentType?: string;
  getComponent: (name: string, withContainer: boolean) => unknown;
}

/**
 * A plugin of Swagger UI that shows JSON responses with the text that was sent. Swagger UI itself parses them, which
 * shows 10.10 as 10.1 and rounds long numbers. Runs in the browser: Nest writes its source into the page, so it must not
 * refer to anything outside itself.
 */
export function exactResponses({ React }: SwaggerSystem): object {
  return {
    wrapComponents: {
      responseBody: (Original: unknown) => (props: ResponseBodyProps) => {
        const { content, contentType = '', getComponent } = props;
        const isLines = /ndjson|jsonl/i.test(contentType);
        if (typeof content !== 'string' || !/json/i.test(contentType)) return React.createElement(Original, props);
        const code = { language: 'json', downloadable: true, fileName: 'response.json', canCopy: true };
        return React.createElement(
          'div',
          null,
          React.createElement('h5', null, 'Response body'),
          React.createElement(getComponent('HighlightCode', true), code, isLines ? content : indented(content)),
        );
      },
    },
  };

  /** Indents JSON text without parsing it: only the white space between its tokens changes. */
  function indented(json: string): string {
    let depth = 0;
    const newLine = (): string => `\n${'  '.repeat(depth)}`;
    const tokens = json.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
    const parts = tokens.map((token, i) => {
      if (token === ',') return `,${newLine()}`;
      if (token === ':') return ': ';
      if (token === '{' || token === '[') {
        const isEmpty = tokens[i + 1] === '}' || tokens[i + 1] === ']';
        depth += 1;
        return isEmpty ? token : token + newLine();
      }
      if (token !== '}' && token !== ']') return token;
      depth -= 1;
      return tokens[i - 1] === '{' || tokens[i - 1] === '[' ? token : newLine() + token;
    });
    return parts.join('');
  }
}
