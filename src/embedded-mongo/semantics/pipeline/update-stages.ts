import { CommandError, ErrorCodes, typeMismatch } from '../errors.js'
import { rootScope } from '../expression/scope.js'
import type { Document, UpdateOptions } from '../types.js'
import { isDocument } from '../values/types.js'
import { compileAddFields, compileProject, compileReplaceRoot, compileUnset } from './stages/shape.js'

type Change = (doc: Document) => Document

/**
 * Compiles an update pipeline, which may have only stages that map one document to one.
 * @throws CommandError 72 InvalidOptions for another stage
 */
export function compileUpdatePipeline (stages: Document[], options: UpdateOptions): Change {
  const changes = stages.map(stage => compileStage(stage, options))
  return doc => changes.reduce((current, change) => change(current), doc)
}

function compileStage (stage: unknown, options: UpdateOptions): Change {
  if (!isDocument(stage)) throw typeMismatch("Each element of the 'pipeline' array must be an object")
  const [name] = Object.keys(stage)
  if (name === undefined || Object.keys(stage).length !== 1) throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.')
  const spec = stage[name]
  const scope = rootScope(options)
  switch (name) {
    case '$set':
    case '$addFields':
      return compileAddFields(spec, scope, name)
    case '$project': return compileProject(spec, scope)
    case '$unset': return compileUnset(spec)
    case '$replaceRoot':
    case '$replaceWith':
      return compileReplaceRoot(spec, scope, name)
    default:
      throw new CommandError(ErrorCodes.InvalidOptions, `${name} is not allowed to be used within an update`)
  }
}
