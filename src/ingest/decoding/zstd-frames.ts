const FRAME_MAGIC = 0xfd2fb528;
/** The magic numbers of skippable frames differ in their last four bits. */
const SKIPPABLE_MAGIC = 0x184d2a5;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const RLE_BLOCK = 1;

/** What a frame has next: a little-endian number whose value matters, or bytes that are passed over. */
interface Part {
  kind: 'number' | 'content';
  bytes: number;
}

/**
 * Finds where the frames of Zstandard data end (RFC 8878), without decoding them. Node's decompressor needs that: it
 * stops after the first frame of each chunk.
 */
export class ZstdFrames {
  /** Frames that have started. */
  count = 0;
  private frame: Generator<Part, void, number> | undefined;
  private part: Part = { kind: 'content', bytes: 0 };
  /** Bytes of the part read so far, and their value if it is a number. */
  private read = 0;
  private value = 0;

  get isInFrame(): boolean {
    return this.frame !== undefined;
  }

  /**
   * Returns the position of the end of the frame, or of the chunk if the frame goes on after it. The frame is the one
   * that the chunk before left unfinished, or else starts at `start`.
   * @throws NotAFrame
   */
  endOfFrame(chunk: Buffer, start: number): number {
    let at = start;
    if (!this.frame) this.begin();
    while (this.frame && at < chunk.length) {
      if (this.part.kind === 'number') {
        this.value += (chunk[at] as number) * 256 ** this.read;
        this.read += 1;
        at += 1;
      } else {
        const passed = Math.min(this.part.bytes - this.read, chunk.length - at);
        this.read += passed;
        at += passed;
      }
      while (this.frame && this.read === this.part.bytes) this.enterNext(this.frame);
    }
    return at;
  }

  private begin(): void {
    this.count += 1;
    this.frame = partsOfFrame();
    this.enterNext(this.frame);
  }

  private enterNext(frame: Generator<Part, void, number>): void {
    const { done, value } = frame.next(this.value);
    this.read = 0;
    this.value = 0;
    if (done) this.frame = undefined;
    else this.part = value;
  }
}

export class NotAFrame extends Error {
  constructor() {
    super('no frame starts where one must');
  }
}

function* partsOfFrame(): Generator<Part, void, number> {
  const magic = yield number(4);
  if (Math.floor(magic / 16) === SKIPPABLE_MAGIC) {
    yield content(yield number(4));
    return;
  }
  if (magic !== FRAME_MAGIC) throw new NotAFrame();
  const descriptor = yield number(1);
  yield content(headerBytes(descriptor));
  for (let isLast = false; !isLast;) {
    const block = yield number(3);
    isLast = (block & 1) === 1;
    yield content(((block >> 1) & 3) === RLE_BLOCK ? 1 : block >> 3);
  }
  if ((descriptor & 4) !== 0) yield content(4); // the checksum
}

/** Returns the length of the rest of the frame header: window, dictionary id and content size. */
function headerBytes(descriptor: number): number {
  const hasWindow = (descriptor & 0x20) === 0;
  const contentSize = CONTENT_SIZE_BYTES[descriptor >> 6] as number;
  const dictionaryId = DICTIONARY_ID_BYTES[descriptor & 3] as number;
  return dictionaryId + (hasWindow ? 1 + contentSize : Math.max(1, contentSize));
}

function number(bytes: number): Part {
  return { kind: 'number', bytes };
}

function content(bytes: number): Part {
  return { kind: 'content', bytes };
}
