using System.Globalization;

namespace RaftMq.Cli.Campaigns;

/// <summary>How far a campaign is, for people.</summary>
internal static class CampaignReport
{
    /// <param name="seeds">Wanted in all.</param>
    public static string Line(Campaign campaign, long seeds) => string.Create(
        CultureInfo.InvariantCulture,
        $"{campaign.Finished} of {seeds} seeds of {campaign.SecondsEach} s at commit {campaign.Commit}, {campaign.Failures.Count} failed: "
        + $"{campaign.VirtualHours:F1} virtual hours with {campaign.Acks} acks in {campaign.CpuSeconds / 3600:F2} CPU-hours "
        + $"({campaign.VirtualHours * 3600 / Math.Max(campaign.RealSeconds, 1e-6):F0} virtual seconds per second)");
}
