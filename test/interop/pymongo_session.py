"""What an application does with PyMongo, against the address given; prints one line of JSON for each step."""
import json
import sys
import threading

import pymongo
from bson import Decimal128, Int64, ObjectId

client = pymongo.MongoClient(sys.argv[1], serverSelectionTimeoutMS=5000)
things = client["pymongo"]["things"]


def tell(step, result):
    print(json.dumps({"step": step, "result": result}), flush=True)


tell("server", client.server_info()["version"])

inserted = things.insert_many([{"_id": n, "n": Int64(n), "price": Decimal128(f"{n}.50"), "tags": ["odd" if n % 2 else "even"]} for n in range(1, 11)])
tell("insert", len(inserted.inserted_ids))

things.create_index([("n", pymongo.DESCENDING)])
found = list(things.find({"n": {"$gte": 8}}, {"n": 1}).sort("n", -1))
tell("query", [[type(doc["n"]).__name__, int(doc["n"])] for doc in found])
tell("index", things.find({"n": {"$gte": 8}}).explain()["queryPlanner"]["winningPlan"]["inputStage"]["indexName"])

groups = things.aggregate([{"$unwind": "$tags"}, {"$group": {"_id": "$tags", "sum": {"$sum": "$price"}}}, {"$sort": {"_id": 1}}])
tell("aggregate", [[group["_id"], str(group["sum"])] for group in groups])

try:
    things.insert_one({"_id": 1})
except pymongo.errors.DuplicateKeyError as error:
    tell("duplicate", error.details["keyPattern"])

with client.start_session() as session:
    with session.start_transaction():
        things.insert_one({"_id": "in transaction"}, session=session)
        tell("outside", things.count_documents({"_id": "in transaction"}))
    tell("committed", things.count_documents({"_id": "in transaction"}))
    try:
        with session.start_transaction():
            things.delete_many({}, session=session)
            raise RuntimeError
    except RuntimeError:
        tell("aborted", things.count_documents({}))

with things.watch(full_document="updateLookup") as stream:
    def write():
        things.update_one({"_id": 3}, {"$set": {"seen": True}})
        things.delete_one({"_id": 4})

    writer = threading.Thread(target=write)
    writer.start()
    events = [next(stream) for _ in range(2)]
    writer.join()
tell("watch", [[event["operationType"], event["documentKey"]["_id"], (event.get("fullDocument") or {}).get("seen")] for event in events])

many = things.insert_many([{"_id": ObjectId()} for _ in range(1000)])
tell("cursor", sum(1 for _ in things.find({"_id": {"$in": many.inserted_ids}}, batch_size=100)))
client.drop_database("pymongo")
tell("dropped", "pymongo" in client.list_database_names())
