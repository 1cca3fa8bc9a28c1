/** What a CloudEvent has besides the fields of an envelope. */
export interface CloudEventParts {
  /** JSON text of an object with its extension attributes, `dataschema` and `datacontenttype`; undefined without any. */
  extensionsJson: string | undefined;
  /** What the hash covers besides the envelope: canonical JSON members, each followed by a comma. */
  canonicalMembers: string;
  /** The canonical payload that the hash covers, if it differs from that of the payload. */
  canonicalPayload: string | undefined;
  /** The canonical payload that an earlier build made of the data, if it differs. */
  legacyPayload: string | undefined;
}
