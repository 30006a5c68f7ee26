namespace RaftMq.Simulation.Disk;

/// <summary>Free pages of one disk, so that hours of virtual writing do not become garbage. Bounded; poisons what comes back.</summary>
internal sealed class PagePool
{
    private const int PagesMax = 1024;
    private readonly Stack<PageBytes> _free = new();

    public PageBytes Rent() => _free.TryPop(out PageBytes? page) ? page : new PageBytes();

    public void Return(PageBytes page)
    {
        if (!page.Shared && _free.Count < PagesMax)
        {
            page.Bytes.AsSpan().Fill(0xDB);
            _free.Push(page);
        }
    }
}
