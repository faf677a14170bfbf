import { CommandError, ErrorCodes } from '../../errors.js'
import type { StageFactory } from '../context.js'
import { bucketAutoStage, bucketStage } from './bucket.js'
import { countStage, documentsStage, sampleStage, sortByCountStage } from './count.js'
import { densifyStage } from './densify.js'
import { facetStage } from './facet.js'
import { fillStage } from './fill.js'
import { graphLookupStage } from './graph-lookup.js'
import { groupStage } from './group.js'
import { lookupStage } from './lookup.js'
import { redactStage } from './redact.js'
import { setWindowFieldsStage } from './window.js'
import { addFieldsStage, limitStage, matchStage, projectStage, replaceRootStage, replaceWithStage, setStage, skipStage, unsetStage } from './shape.js'
import { sortStage } from './sort.js'
import { unionWithStage } from './union-with.js'
import { unwindStage } from './unwind.js'

let table: Map<string, StageFactory> | undefined

/** Stages that the server's command layer runs itself, at the ends of a pipeline. */
const outside = new Set(['$out', '$merge', '$changeStream', '$collStats', '$indexStats', '$listLocalSessions', '$listSessions', '$currentOp', '$planCacheStats', '$changeStreamSplitLargeEvent'])

/** The stage of a name such as `$match`; the table is made at first use, since its modules import one another. */
export function findStage (name: string): StageFactory | undefined {
  table ??= new Map<string, StageFactory>(Object.entries({
    $addFields: addFieldsStage,
    $bucket: bucketStage,
    $bucketAuto: bucketAutoStage,
    $count: countStage,
    $densify: densifyStage,
    $documents: documentsStage,
    $facet: facetStage,
    $fill: fillStage,
    $graphLookup: graphLookupStage,
    $group: groupStage,
    $limit: limitStage,
    $lookup: lookupStage,
    $match: matchStage,
    $project: projectStage,
    $redact: redactStage,
    $replaceRoot: replaceRootStage,
    $replaceWith: replaceWithStage,
    $sample: sampleStage,
    $set: setStage,
    $setWindowFields: setWindowFieldsStage,
    $skip: skipStage,
    $sort: sortStage,
    $sortByCount: sortByCountStage,
    $unionWith: unionWithStage,
    $unset: unsetStage,
    $unwind: unwindStage
  }))
  if (name === '$geoNear') throw new CommandError(ErrorCodes.CommandNotSupported, 'geospatial queries are not supported: $geoNear')
  if (outside.has(name)) throw new CommandError(40602, `${name} is only valid as the ${name === '$out' || name === '$merge' ? 'last' : 'first'} stage in a pipeline`)
  return table.get(name)
}
