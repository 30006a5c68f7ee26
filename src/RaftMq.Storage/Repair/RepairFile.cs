namespace RaftMq.Storage.Repair;

/// <summary>Under which name a file lies that comes from another replica and is not whole, or not checked, yet. Start-up deletes it.</summary>
internal static class RepairFile
{
    public const string Suffix = ".repair";

    public static string Of(string path) => path + Suffix;
}
