using RaftMq.Fuzz.Engine;

namespace RaftMq.Fuzz.Formats;

internal static class AllFormats
{
    public static FuzzFormat[] Make() =>
    [
        new KafkaRequestFormat(),
        new KafkaResponseFormat(),
        new RecordBatchFormat(),
        new CompressedBatchFormat(),
        new PeerPreambleFormat(),
        new PeerFrameFormat(),
        new MembershipFormat(),
        new ClusterCommandFormat(),
        new ClusterSnapshotFormat(),
        new ControllerRequestFormat(),
        new ControllerResponseFormat(),
        new GroupEntryFormat(),
        new GroupSnapshotFormat(),
        new SubscriptionFormat(),
        new PartitionSnapshotFormat(),
        new JournalFormat(),
        new SegmentFormat(),
        new IndexFormat(),
        new CheckpointFormat(),
        new GroupMetaFormat(),
        new StoreIdentityFormat(),
        new ExaminationFormat(),
    ];
}
