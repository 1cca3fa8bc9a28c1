import { useState } from 'react';
import type { Schema } from '../../../api/endpoints';
import { Instant } from '../../../parts/texts/instant';
import { Text } from '../../../parts/texts/text';
import { useMay } from '../../../session/caller';
import { NewSecret } from './new-secret';
import { NewUrl } from './new-url';

interface Props {
  source: Schema<'SourceResponse'>;
  provider: Schema<'ProviderResponse'>;
}

/** What to do at the provider and here, in order. */
export function SetupSteps({ source, provider }: Props) {
  const mayOperate = useMay('operator');
  const [open, setOpen] = useState<'url' | 'secret'>();
  const { secretHints, needsSecret, previousUrlUntil, secondSecretUntil } = source;
  const name = provider.verification === null ? 'the producer' : provider.name;
  const secret = provider.verification === null ? 'the secret that its requests are signed with' : provider.secret;
  const needsNone = secretHints.length === 0 && !needsSecret;
  return (
    <>
      <ol className="steps">
        <li>
          Paste the URL of the source into {name}: <code className="break">{source.urlHint}</code>. The whole URL is
          shown only when it is made.
          {mayOperate && (
            <button type="button" className="inline" onClick={() => setOpen('url')}>
              New URL …
            </button>
          )}
          {previousUrlUntil !== null && (
            <p className="hint">
              The URL before it works until <Instant at={previousUrlUntil} />.
            </p>
          )}
        </li>
        {!needsNone && (
          <li>
            Give StreamForge <Text>{secret}</Text>.{' '}
            {needsSecret ? 'None is set yet.' : `Set: ${secretHints.join(' and ')}.`}
            {mayOperate && (
              <button type="button" className="inline" onClick={() => setOpen('secret')}>
                New secret …
              </button>
            )}
            {secretHints.length > 1 && secondSecretUntil !== null && (
              <p className="hint">
                The older one counts until <Instant at={secondSecretUntil} />.
              </p>
            )}
          </li>
        )}
        {provider.handshakes.length > 0 && (
          <li>
            {provider.name} checks the URL ({provider.handshakes.join(', ')}). StreamForge answers that by itself.
          </li>
        )}
        <li>
          Send an event from {name}. It shows below, under “Last requests”.
          {provider.documentation !== null && (
            <>
              {' '}
              <a href={provider.documentation} target="_blank" rel="noreferrer">
                What {provider.name} says about its signatures
              </a>
            </>
          )}
        </li>
      </ol>
      {open === 'url' && <NewUrl source={source} onClose={() => setOpen(undefined)} />}
      {open === 'secret' && <NewSecret source={source} secret={secret} onClose={() => setOpen(undefined)} />}
    </>
  );
}
