/** Converts positions in decoded text to positions in its UTF-8 bytes. The text arrives in pieces. */
export class BytePositions {
  private piece = '';
  /** Where the piece starts, in UTF-16 code units and in bytes. */
  private start = 0;
  private startBytes = 0;
  private pieceBytes = 0;
  /** The last position that was converted, so that no character is counted twice. */
  private known = 0;
  private knownBytes = 0;

  /** Bytes of all pieces so far. */
  get total(): number {
    return this.startBytes + this.pieceBytes;
  }

  add(piece: string): void {
    this.start += this.piece.length;
    this.startBytes += this.pieceBytes;
    this.piece = piece;
    this.pieceBytes = Buffer.byteLength(piece);
    this.known = this.start;
    this.knownBytes = this.startBytes;
  }

  /**
   * @param position a position in the last piece, not before the one of the previous call; or one before that piece, if
   *   only ASCII is between
   */
  of(position: number): number {
    if (this.pieceBytes === this.piece.length || position <= this.start) return this.startBytes + position - this.start;
    this.knownBytes += Buffer.byteLength(this.piece.slice(this.known - this.start, position - this.start));
    this.known = position;
    return this.knownBytes;
  }
}
