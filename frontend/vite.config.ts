import { defineConfig } from "vitest/config";

// Django serves `dist` under /static/ and finds the hashed names in the manifest.
export default defineConfig({
  base: "/static/",
  build: {
    manifest: true,
    target: "es2022",
    sourcemap: true,
    rollupOptions: { input: ["src/case.tsx", "src/upload.ts", "src/pages.ts"] },
  },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    environment: "node",
    maxWorkers: 1,
  },
});
