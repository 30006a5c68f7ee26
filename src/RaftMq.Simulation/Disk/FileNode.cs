using RaftMq.Raft;

namespace RaftMq.Simulation.Disk;

/// <summary>A file: its pages and its length, each as cached and as durable. Absent pages are zeros, cached and durable.</summary>
internal sealed class FileNode : Node
{
    private SectorPage?[] _pages = [];
    private List<int> _unsynced = [];

    /// <summary>Pages that the medium does not give back; null when there are none, which is nearly always.</summary>
    private SortedSet<int>? _unreadable;

    public long Length { get; private set; }

    public long DurableLength { get; private set; }

    /// <summary>Nothing waits for a sync.</summary>
    public bool IsDurable => _unsynced.Count == 0 && Length == DurableLength;

    public int Read(long position, Span<byte> buffer, bool durable)
    {
        long length = durable ? DurableLength : Length;
        int count = (int)Math.Clamp(length - position, 0, buffer.Length);
        for (int done = 0; done < count;)
        {
            (int number, int inside) = Locate(position + done);
            int piece = Math.Min(SectorPage.PageSizeBytes - inside, count - done);
            SectorPage? page = number < _pages.Length ? _pages[number] : null;
            if (page is null)
            {
                buffer.Slice(done, piece).Clear();
            }
            else
            {
                PageBytes bytes = durable ? page.Durable ?? page.Cached : page.Cached;
                bytes.Bytes.AsSpan(inside, piece).CopyTo(buffer[done..]);
            }

            done += piece;
        }

        return count;
    }

    public void Write(long position, ReadOnlySpan<byte> bytes, PagePool pool)
    {
        for (int done = 0; done < bytes.Length;)
        {
            (int number, int inside) = Locate(position + done);
            int piece = Math.Min(SectorPage.PageSizeBytes - inside, bytes.Length - done);
            WriteInPage(number, inside, bytes.Slice(done, piece), pool);
            done += piece;
        }

        Length = Math.Max(Length, position + bytes.Length);
    }

    public void SetLength(long length, PagePool pool)
    {
        if (length < Length)
        {
            ClearFrom(length, pool);
        }

        Length = length;
    }

    public void Sync(PagePool pool)
    {
        List<int> still = [];
        foreach (int number in _unsynced)
        {
            SectorPage page = _pages[number]!;
            SettleSectors(page, page.Dirty, pool);
            page.Dirty = 0;
            page.Listed = page.Dropped != 0;
            if (page.Listed)
            {
                still.Add(number);
            }
        }

        _unsynced = still;
        DurableLength = Length;
    }

    /// <summary>See <see cref="SimulatedDiskFault.SyncFails"/>.</summary>
    public void FailSync(RandomSource random, PagePool pool)
    {
        List<int> still = [];
        foreach (int number in _unsynced)
        {
            SectorPage page = _pages[number]!;
            byte reached = (byte)(page.Dirty & random.NextUInt64());
            byte dropped = (byte)(page.Dropped | (page.Dirty & ~reached));
            SettleSectors(page, reached, pool);
            page.Dirty = 0;
            page.Dropped = dropped;
            page.Listed = dropped != 0;
            if (page.Listed)
            {
                still.Add(number);
            }
        }

        _unsynced = still;
    }

    /// <summary>Forgets the cache: keeps of what is not durable only what <paramref name="keeps"/> says.</summary>
    public void PowerCut(string path, Func<UnsyncedPart, bool> keeps, Func<long, long, long> lengthBetween, PagePool pool)
    {
        _unsynced.Sort();
        foreach (int number in _unsynced)
        {
            SectorPage page = _pages[number]!;
            byte lost = page.Dropped;
            for (int sector = 0; sector < SectorPage.SectorsPerPage; sector++)
            {
                long position = ((long)number * SectorPage.PageSizeBytes) + (sector * SectorPage.SectorSizeBytes);
                if ((page.Dirty >> sector & 1) != 0 && !keeps(new UnsyncedPart(UnsyncedKind.Sector, path, position)))
                {
                    lost |= (byte)(1 << sector);
                }
            }

            LoseSectors(page, lost, pool);
            page.Dirty = 0;
            page.Dropped = 0;
            page.Listed = false;
        }

        _unsynced.Clear();
        if (Length != DurableLength && !keeps(new UnsyncedPart(UnsyncedKind.Length, path, Length)))
        {
            Length = lengthBetween(DurableLength, Length);
        }

        DurableLength = Length;
        ForgetBehind(Length, pool);
    }

    /// <summary>What is dirty now, in order of position, the length last.</summary>
    public void ListUnsynced(string path, List<UnsyncedPart> into)
    {
        _unsynced.Sort();
        foreach (int number in _unsynced)
        {
            for (int sector = 0; sector < SectorPage.SectorsPerPage; sector++)
            {
                if ((_pages[number]!.Dirty >> sector & 1) != 0)
                {
                    long position = ((long)number * SectorPage.PageSizeBytes) + (sector * SectorPage.SectorSizeBytes);
                    into.Add(new UnsyncedPart(UnsyncedKind.Sector, path, position));
                }
            }
        }

        if (Length != DurableLength)
        {
            into.Add(new UnsyncedPart(UnsyncedKind.Length, path, Length));
        }
    }

    /// <summary>Changes durable and cached bytes in place, as decay of the medium does.</summary>
    public void Decay(long position, byte mask, PagePool pool)
    {
        (int number, int inside) = Locate(position);
        SectorPage page = PageAt(number);
        PageBytes cached = Own(page.Cached, pool);
        cached.Bytes[inside] ^= mask;
        page.Cached = cached;
        if (page.Durable is not null)
        {
            page.Durable = Own(page.Durable, pool);
            page.Durable.Bytes[inside] ^= mask;
        }
    }

    /// <summary>
    /// The page that holds this position can't be read until something is written to it, and then the rest of it is not what it was.
    /// </summary>
    public void LosePage(long position, PagePool pool)
    {
        (int number, _) = Locate(position);
        long start = (long)number * SectorPage.PageSizeBytes;
        for (long at = start; at < Math.Min(Math.Max(Length, DurableLength), start + SectorPage.PageSizeBytes); at++)
        {
            Decay(at, 0xFF, pool);
        }

        (_unreadable ??= []).Add(number);
    }

    public bool IsReadable(long position, int bytes) =>
        _unreadable is null || bytes == 0
        || _unreadable.GetViewBetween(Locate(position).Page, Locate(position + bytes - 1).Page).Count == 0;

    /// <summary>Cuts the durable file as well, as damage to the medium does.</summary>
    public void CutOnMedium(long length, PagePool pool)
    {
        ForgetBehind(length, pool);
        (int number, int inside) = Locate(length);
        for (; number < _pages.Length; number++, inside = 0)
        {
            if (_pages[number] is { Durable: { } durable } page)
            {
                page.Durable = Own(durable, pool);
                page.Durable.Bytes.AsSpan(inside).Clear();
            }
        }

        Length = Math.Min(Length, length);
        DurableLength = Math.Min(DurableLength, length);
    }

    public FileNode Clone()
    {
        FileNode clone = new()
        {
            _pages = new SectorPage?[_pages.Length],
            _unsynced = [.. _unsynced],
            Length = Length,
            DurableLength = DurableLength,
            _unreadable = _unreadable is null ? null : [.. _unreadable],
        };
        for (int number = 0; number < _pages.Length; number++)
        {
            clone._pages[number] = _pages[number]?.Clone();
        }

        return clone;
    }

    private static (int Page, int Inside) Locate(long position) =>
        ((int)(position / SectorPage.PageSizeBytes), (int)(position % SectorPage.PageSizeBytes));

    private void WriteInPage(int number, int inside, ReadOnlySpan<byte> bytes, PagePool pool)
    {
        _unreadable?.Remove(number);
        bool known = number < _pages.Length && _pages[number] is not null;
        if (!known && bytes.IndexOfAnyExcept((byte)0) < 0)
        {
            return; // Zeros over zeros: an absent page says so already.
        }

        SectorPage page = PageAt(number);
        if (page.Durable is null)
        {
            page.Durable = page.Cached;
            page.Cached = Copy(page.Cached, skip: bytes.Length == SectorPage.PageSizeBytes, pool);
        }
        else if (page.Cached.Shared)
        {
            page.Cached = Copy(page.Cached, skip: false, pool);
        }

        bytes.CopyTo(page.Cached.Bytes.AsSpan(inside));
        byte touched = Sectors(inside, bytes.Length);
        page.Dirty |= touched;
        page.Dropped &= (byte)~touched;
        if (!page.Listed)
        {
            page.Listed = true;
            _unsynced.Add(number);
        }
    }

    private SectorPage PageAt(int number)
    {
        if (number >= _pages.Length)
        {
            Array.Resize(ref _pages, Math.Max(number + 1, Math.Min(_pages.Length * 2, _pages.Length + 4096)));
        }

        return _pages[number] ??= new SectorPage { Cached = PageBytes.Zeros };
    }

    private static byte Sectors(int inside, int length)
    {
        int first = inside / SectorPage.SectorSizeBytes;
        int last = (inside + length - 1) / SectorPage.SectorSizeBytes;
        return (byte)((0xFF << first) & (0xFF >> (SectorPage.SectorsPerPage - 1 - last)));
    }

    private static PageBytes Copy(PageBytes from, bool skip, PagePool pool)
    {
        PageBytes copy = pool.Rent();
        if (!skip)
        {
            from.Bytes.CopyTo(copy.Bytes.AsSpan());
        }

        return copy;
    }

    private static PageBytes Own(PageBytes bytes, PagePool pool) => bytes.Shared ? Copy(bytes, skip: false, pool) : bytes;

    /// <summary>Makes sectors durable. The page's masks are the caller's to change afterwards.</summary>
    private static void SettleSectors(SectorPage page, byte sectors, PagePool pool)
    {
        byte differing = (byte)(page.Dirty | page.Dropped);
        if (page.Durable is null)
        {
            return;
        }

        if ((differing & ~sectors) == 0)
        {
            pool.Return(page.Durable);
            page.Durable = null;
            return;
        }

        page.Durable = Own(page.Durable, pool);
        CopySectors(page.Cached, page.Durable, sectors);
    }

    private static void LoseSectors(SectorPage page, byte sectors, PagePool pool)
    {
        if (page.Durable is null)
        {
            return;
        }

        if (sectors != 0)
        {
            page.Cached = Own(page.Cached, pool);
            CopySectors(page.Durable, page.Cached, sectors);
        }

        pool.Return(page.Durable);
        page.Durable = null;
    }

    private static void CopySectors(PageBytes from, PageBytes to, byte sectors)
    {
        for (int sector = 0; sector < SectorPage.SectorsPerPage; sector++)
        {
            if ((sectors >> sector & 1) != 0)
            {
                int start = sector * SectorPage.SectorSizeBytes;
                from.Bytes.AsSpan(start, SectorPage.SectorSizeBytes).CopyTo(to.Bytes.AsSpan(start));
            }
        }
    }

    /// <summary>Zeros in the cache from <paramref name="length"/> on; the disk keeps its bytes until the sync.</summary>
    private void ClearFrom(long length, PagePool pool)
    {
        (int number, int inside) = Locate(length);
        for (; number < _pages.Length; number++, inside = 0)
        {
            if (_pages[number] is not null)
            {
                WriteInPage(number, inside, PageBytes.Zeros.Bytes.AsSpan(inside), pool);
            }
        }
    }

    /// <summary>What lies behind a file's end is gone: a file that grows again reads zeros there.</summary>
    private void ForgetBehind(long length, PagePool pool)
    {
        (int number, int inside) = Locate(length);
        int first = inside == 0 ? number : number + 1;
        _unreadable?.RemoveWhere(page => page >= first);
        for (; number < _pages.Length; number++, inside = 0)
        {
            SectorPage? page = _pages[number];
            if (page is not null)
            {
                page.Cached = Own(page.Cached, pool);
                page.Cached.Bytes.AsSpan(inside).Clear();
            }
        }
    }
}
