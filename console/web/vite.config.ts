import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const host = process.env.VEDETTE_SERVER ?? 'http://127.0.0.1:8080';

// Chunks that change at their own pace or that only some pages need. What is not named goes with its page.
const chunks: [string, RegExp][] = [
  ['react', /node_modules\/(react|react-dom|scheduler)\//],
  ['mantine', /node_modules\/(@mantine|@floating-ui|react-remove-scroll|react-number-format|clsx)\//],
  ['data', /node_modules\/(@tanstack|@connectrpc|@bufbuild)\/|src\/gen\//],
  ['codemirror', /node_modules\/(@codemirror|@lezer|style-mod|crelt|w3c-keyname)\//],
  ['uplot', /node_modules\/uplot\//],
  ['cytoscape', /node_modules\/cytoscape\//],
  ['map', /node_modules\/(d3-geo|d3-array|topojson-client|world-atlas)\//],
];

// packed writes NAME.gz beside each script and style sheet; console.go serves it to whoever takes it.
const packed: Plugin = {
  name: 'packed',
  apply: 'build',
  writeBundle({ dir }) {
    for (const file of readdirSync(dir!, { recursive: true, encoding: 'utf8' })) {
      if (/\.(js|css|json)$/.test(file)) writeFileSync(join(dir!, `${file}.gz`), gzipSync(readFileSync(join(dir!, file)), { level: 9 }));
    }
  },
};

// No inline scripts and no data URLs: the console's Content-Security-Policy allows files of its own host only.
export default defineConfig({
  plugins: [react(), packed],
  resolve: {
    // One file for all icons, or the development server reads each of the six thousand by itself.
    alias: { '@tabler/icons-react': '@tabler/icons-react/dist/esm/icons/index.mjs' },
  },
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: 'es2022',
    chunkSizeWarningLimit: 900, // kB before compression
    rolldownOptions: { output: { codeSplitting: { groups: chunks.map(([name, test]) => ({ name, test })) } } },
  },
  server: {
    // The host takes live connections and cookies from its own pages only, so development pretends to be one.
    proxy: {
      '/vedette.v1.': { target: host, changeOrigin: true },
      '/live': { target: host, ws: true, changeOrigin: true, headers: { Origin: host } },
    },
  },
  test: { include: ['src/**/*.test.ts'] },
});
