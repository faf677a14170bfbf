const driver = 'the Node driver replaces a null _id by an ObjectId before it sends the document'

/** Cases of the conformance data that are not passed, as `file: description`, and why. */
export const exceptions: Record<string, string> = {
  'crud/create-null-ids.json: inserting _id with type null via insertOne': driver,
  'crud/create-null-ids.json: inserting _id with type null via insertMany': driver,
  'crud/create-null-ids.json: inserting _id with type null via bulkWrite': driver,
  'crud/create-null-ids.json: inserting _id with type null via clientBulkWrite': driver,
  'gridfs/download.json: download when final chunk is missing': 'the Node driver ends the download without an error'
}
