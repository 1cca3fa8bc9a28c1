/** Whether the last request got a response. */
let isLost = false;
const listeners = new Set<() => void>();

function set(lost: boolean): void {
  if (lost === isLost) return;
  isLost = lost;
  for (const listener of listeners) listener();
}

export const connection = {
  lost: (): void => set(true),
  works: (): void => set(false),
  isLost: (): boolean => isLost,
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
