using System.Globalization;

namespace RaftMq.Server.Hosting;

/// <summary>Which process has a file or socket open, as far as this one may see; for messages only.</summary>
internal static class OpenFiles
{
    /// <param name="isIt">Asked for what each open file leads to, as <c>/path</c> or <c>socket:[inode]</c>.</param>
    /// <param name="except">Number of an open file of this process that does not count.</param>
    /// <returns>"process 123 (command line)", or null when nobody who may be seen has it.</returns>
    public static string? OwnerOf(Func<string, bool> isIt, long except = -1)
    {
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(name => char.IsAsciiDigit(Path.GetFileName(name)[0])))
        {
            int id = int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture);
            string? skipped = id == Environment.ProcessId ? except.ToString(CultureInfo.InvariantCulture) : null;
            if (HasOpen(process, isIt, skipped))
            {
                return $"process {id} ({CommandOf(process)})";
            }
        }

        return null;
    }

    public static string? LinkTarget(string link)
    {
        try
        {
            return new FileInfo(link).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool HasOpen(string process, Func<string, bool> isIt, string? except)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(process + "/fd")
                .Any(link => Path.GetFileName(link) != except && LinkTarget(link) is { } target && isIt(target));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody else's, or gone meanwhile.
            return false;
        }
    }

    private static string CommandOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline").TrimEnd('\0').Replace('\0', ' ');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
