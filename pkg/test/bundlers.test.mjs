// The package through the bundlers that its users have.
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'

import * as esbuild from 'esbuild'
import * as vite from 'vite'
import webpack from 'webpack'

import { serve } from '../../tests/browser-kit/index.mjs'
import { expectLive, here, stage } from './support.mjs'

const actors = stage()
const root = here('consumer')
const quiet = { root, configFile: false, logLevel: 'warn' }

/** A folder for what is built, which goes with the test. */
function output(t, name) {
  const folder = here(`consumer/built-${name}`)
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function expectBuilt(t, folder, pages = {}) {
  const site = await serve(folder, { pages })
  t.after(site.stop)
  await expectLive(actors, `${site.url}/`)
}

const page = (script) =>
  `<!doctype html><title>steadysocket</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`

test('Vite, while developing', async (t) => {
  const server = await vite.createServer({ ...quiet, cacheDir: output(t, 'vite-cache'), server: { port: 0 } })
  t.after(() => server.close())
  await server.listen()
  await expectLive(actors, server.resolvedUrls.local[0])
})

test('Vite, for production', async (t) => {
  const outDir = output(t, 'vite')
  await vite.build({ ...quiet, build: { outDir, emptyOutDir: true } })
  await expectBuilt(t, outDir)
})

test('webpack 5, for production', async (t) => {
  const path = output(t, 'webpack')
  const built = await promisify(webpack)({
    context: root,
    entry: './main.js',
    mode: 'production',
    output: { path, filename: 'main.js' },
    // The wasm has a ceiling of its own: `pkg/build.sh`.
    performance: { hints: false },
  })
  const { errors, warnings } = built.toJson({ all: false, errors: true, warnings: true })
  t.diagnostic(built.toString({ all: false, assets: true, colors: false }))
  if (errors.length + warnings.length > 0) throw new Error(JSON.stringify([...errors, ...warnings]))
  await expectBuilt(t, path, { '/': page('/main.js') })
})

test('esbuild, with the wasm inline', async (t) => {
  const outdir = output(t, 'esbuild')
  const built = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['inline.js'],
    bundle: true,
    minify: true,
    format: 'esm',
    outdir,
    logLevel: 'silent',
  })
  if (built.warnings.length > 0) throw new Error(JSON.stringify(built.warnings))
  await expectBuilt(t, outdir, { '/': page('/inline.js') })
})
