/// `partition.upkeep`: asks a worker to make and drop partitions of the ledger; see `PartitionKeeper`.
///
/// Owed by jobs/enqueue-partition-upkeep.sql in the name of the built-in app. It says nothing: what is to be done
/// follows from the moment.
package enum PartitionUpkeep {
    package static let kind = MessageKind(rawValue: "partition.upkeep")
}
