import { defineConfig } from 'vite';

/** What the console is written for. CSS uses light-dark(), so nothing older draws it. */
const BROWSERS = ['chrome123', 'firefox120', 'safari17.5'];

export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: BROWSERS,
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URL
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900, // kB before compression; about 300 kB of gzip
    license: { fileName: 'licences.md' },
    rolldownOptions: {
      // "use client" of the packages means nothing in a bundle for browsers.
      onLog: (level, log, report) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && report(level, log),
    },
  },
});
