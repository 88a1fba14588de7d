import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const host = process.env.VEDETTE_SERVER ?? 'http://127.0.0.1:8080';

// No inline scripts, styles or data URLs: the console's Content-Security-Policy allows files of its own host only.
export default defineConfig({
  plugins: [react()],
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, sourcemap: false },
  server: {
    // The host takes live connections and cookies from its own pages only, so development pretends to be one.
    proxy: {
      '/vedette.v1.': { target: host, changeOrigin: true },
      '/live': { target: host, ws: true, changeOrigin: true, headers: { Origin: host } },
    },
  },
});
