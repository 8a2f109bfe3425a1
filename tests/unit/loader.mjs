// Lets node take the files of www/ for what they are, modules, and puts something in the place of what
// the bundler makes.

export async function resolve(specifier, context, next) {
  if (!specifier.startsWith('virtual:')) return next(specifier, context)
  return { url: 'data:text/javascript,export const moduleBytes = () => new Uint8Array()', shortCircuit: true }
}

export const load = (url, context, next) =>
  next(url, url.includes('/www/') ? { ...context, format: 'module' } : context)
