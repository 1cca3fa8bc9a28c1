import type { Answers } from '../directory/answers';
import type { Handshake } from '../handshakes/handshake';
import type { Mapping } from '../mapping/mapping';
import type { Verification } from '../verification/verification';

/** What is known of a provider of webhooks: the preset of its sources. A source may replace each part. */
export interface Provider {
  /** As in `provider` of a source. */
  id: string;
  name: string;
  /** Page of the provider that describes its signatures. */
  documentation: string;
  /** The day on which this preset was compared with that page, as YYYY-MM-DD. */
  checkedOn: string;
  /** What proves the verification: the provider's package on npm, or its worked example. */
  proof: string;
  verification: Verification;
  /** What to send as `secrets`, and where the provider shows it. */
  secret: string;
  mapping: Mapping;
  /** The form field that holds the body as JSON. It is then mapped and kept in place of the form. */
  jsonField?: string;
  /** `cloudevents`: CloudEvents 1.0, which say by themselves what the fields are. What is none of them is mapped. */
  format?: 'cloudevents';
  /**
   * Members of a record that the provider changes when it sends an event again, as JSON Pointers. The event is then still
   * the same, unlike one with the same id and other content.
   */
  changedByRetries?: readonly string[];
  handshakes?: readonly Handshake[];
  answers?: Answers;
}
