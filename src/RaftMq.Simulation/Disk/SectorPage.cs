namespace RaftMq.Simulation.Disk;

/// <summary>Bytes of one page, possibly shared between clones of a disk; shared bytes are never changed.</summary>
internal sealed class PageBytes
{
    public static readonly PageBytes Zeros = new() { Shared = true };

    public byte[] Bytes { get; } = new byte[SectorPage.PageSizeBytes];

    public bool Shared { get; set; }
}

/// <summary>
/// 4 KiB of a file in two forms: as the page cache has it and as the disk has it. <see cref="Durable"/> is null when both are equal.
/// The masks have one bit per 512-byte sector: <see cref="Dirty"/> will be written by the next sync, <see cref="Dropped"/> differs from
/// the disk but a failed sync marked it clean.
/// </summary>
internal sealed class SectorPage
{
    public const int PageSizeBytes = 4096;
    public const int SectorSizeBytes = 512;
    public const int SectorsPerPage = PageSizeBytes / SectorSizeBytes;

    public required PageBytes Cached { get; set; }

    public PageBytes? Durable { get; set; }

    public byte Dirty { get; set; }

    public byte Dropped { get; set; }

    /// <summary>True while the page stands in its file's list of pages that differ from the disk.</summary>
    public bool Listed { get; set; }

    public SectorPage Clone()
    {
        Cached.Shared = true;
        if (Durable is not null)
        {
            Durable.Shared = true;
        }

        return new SectorPage { Cached = Cached, Durable = Durable, Dirty = Dirty, Dropped = Dropped, Listed = Listed };
    }
}
