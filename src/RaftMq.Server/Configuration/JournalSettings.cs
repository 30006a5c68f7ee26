namespace RaftMq.Server.Configuration;

/// <summary>The node's journal. Every size is a multiple of 4 KiB.</summary>
internal sealed record JournalSettings
{
    [Setting("journal.file.bytes", "Size of a journal file.", Unit = SettingUnit.Bytes, Min = 1 << 20, Max = 1 << 30)]
    public long FileBytes { get; init; } = 64L << 20;

    [Setting("journal.total.bytes", "All journal files together, at least four; near it produces wait until segments are written.", Unit = SettingUnit.Bytes, Min = 4 << 20)]
    public long TotalBytes { get; init; } = 1L << 30;

    [Setting("journal.batch.bytes", "Entry bytes that one write and one fdatasync make durable.", Unit = SettingUnit.Bytes, Min = 4096, Max = 1 << 28)]
    public int BatchBytes { get; init; } = 4 << 20;
}
