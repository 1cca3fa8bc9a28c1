/** Bodies of at most this many bytes may use all of the budget, larger ones LARGE_SHARE of it: small events go on. */
const SMALL_BYTES = 65_536;
const LARGE_SHARE = 3 / 4;
/** What one owner may use: a tenant, all operators, or all whom this process does not know yet. */
const OWNER_SHARE = 1 / 2;

/**
 * The bytes that this process holds for requests that are being received: bodies, streams and decoders. What there is no
 * room for is refused, so that many senders together cannot take more memory than MAX_BUFFER_BYTES.
 */
export class BufferBudget {
  private held = 0;
  /** Only owners that hold something. */
  private readonly byOwner = new Map<string, number>();
  private refused: () => void = () => undefined;

  constructor(private readonly maxBytes: number) {}

  get heldBytes(): number {
    return this.held;
  }

  onRefused(refused: () => void): void {
    this.refused = refused;
  }

  /** @param owner whose share it counts against; undefined: nobody's */
  open(owner?: string): BufferHold {
    return new BufferHold(this, owner);
  }

  /** Returns false, and holds nothing, when there is no room. `before` is what the holder has already. */
  hold(bytes: number, before: number, owner: string | undefined): boolean {
    const share = before + bytes <= SMALL_BYTES ? 1 : LARGE_SHARE;
    const ofOwner = owner === undefined ? 0 : (this.byOwner.get(owner) ?? 0) + bytes;
    if (this.held + bytes > this.maxBytes * share || ofOwner > this.maxBytes * OWNER_SHARE) {
      this.refused();
      return false;
    }
    this.held += bytes;
    if (owner !== undefined) this.byOwner.set(owner, ofOwner);
    return true;
  }

  release(bytes: number, owner: string | undefined): void {
    this.held -= bytes;
    if (owner === undefined) return;
    const left = (this.byOwner.get(owner) ?? 0) - bytes;
    if (left > 0) this.byOwner.set(owner, left);
    else this.byOwner.delete(owner);
  }
}

/** What one body, stream or decoder holds. */
export class BufferHold {
  private bytes = 0;

  constructor(
    private readonly budget: BufferBudget,
    private readonly owner: string | undefined,
  ) {}

  /** Returns false when there is no room for further bytes. */
  grow(bytes: number): boolean {
    if (!this.budget.hold(bytes, this.bytes, this.owner)) return false;
    this.bytes += bytes;
    return true;
  }

  /** May be called more than once. */
  release(): void {
    if (this.bytes > 0) this.budget.release(this.bytes, this.owner);
    this.bytes = 0;
  }
}
