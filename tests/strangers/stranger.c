/* A client on libmbim-glib, which nobody here wrote: what it sends is libmbim's encoding, what it prints is libmbim's
 * reading. It has what Debian's mbimcli has no option for.
 *
 *     stranger DEVICE [--proxy] [--v2|--v3] ACTION [ARGUMENT...] [+ ACTION [ARGUMENT...]]...
 *         One session with all the actions in order. Of each answer it prints the fields as libmbim names and reads
 *         them, or the status. Bytes are given as hexadecimal digits, "-" for none.
 *     stranger print
 *         Reads lines "RELEASE HEXADECIMAL" (release 1, 2 or 3 and a message), prints what libmbim reads in each, then a
 *         line with a dot.
 *
 * Ends with 0 when every answer said success, 1 when one did not or could not be read, 2 when it was called wrongly. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmbim-glib.h>

/* Seconds for one answer, and for an indication. */
#define PATIENCE 30

static MbimDevice *device;
static GMainLoop *loop;
static GError *failure;
static MbimMessage *answer;
static GQueue told = G_QUEUE_INIT;
static MbimService wanted_service;
static guint32 wanted_cid;
static guint waits;
static guint release = 1;
static gboolean quiet;
static int result = 0;

/* ---- arguments ---- */

static char **words;

static const char *
word (void)
{
    if (!*words) {
        fprintf (stderr, "an argument is missing\n");
        exit (2);
    }
    return *words++;
}

static guint32
number (void)
{
    return (guint32) strtoul (word (), NULL, 0);
}

static GByteArray *
from_hex (const char *text)
{
    GByteArray *bytes = g_byte_array_new ();

    if (strcmp (text, "-") == 0)
        return bytes;
    for (; g_ascii_isxdigit (text[0]) && g_ascii_isxdigit (text[1]); text += 2) {
        guint8 byte = (guint8) (g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]));

        g_byte_array_append (bytes, &byte, 1);
    }
    return bytes;
}

static GByteArray *
hex (void)
{
    return from_hex (word ());
}

/* Exactly so many bytes: libmbim reads that many from where it is pointed to. */
static const guint8 *
block (gsize size)
{
    GByteArray *bytes = hex ();

    if (bytes->len != size) {
        fprintf (stderr, "%zu bytes are wanted, %u given\n", size, bytes->len);
        exit (2);
    }
    return bytes->data;
}

static MbimUuid
uuid (void)
{
    MbimUuid uuid;

    if (!mbim_uuid_from_printable (word (), &uuid)) {
        fprintf (stderr, "no uuid\n");
        exit (2);
    }
    return uuid;
}

/* ---- printing ---- */

/* The fields of a message, without what stands about its headers. */
static void
print (const MbimMessage *message, const char *title)
{
    GError *error = NULL;
    gchar *text = mbim_message_get_printable_full (message, (guint8) release, 0, "", FALSE, &error);
    const char *fields = text ? strstr (text, "Fields:\n") : NULL;

    if (!text) {
        printf ("%s: cannot be read: %s\n", title, error ? error->message : "?");
        result = 1;
    } else {
        printf ("%s:\n%s", title, fields ? fields + strlen ("Fields:\n") : "");
    }
    g_clear_error (&error);
    g_free (text);
}

/* Whether libmbim has a name for the command that a message is of. */
static gboolean
is_known (const MbimMessage *message)
{
    switch (mbim_message_get_message_type (message)) {
    case MBIM_MESSAGE_TYPE_COMMAND:
        return mbim_cid_get_printable (mbim_message_command_get_service (message),
                                       mbim_message_command_get_cid (message)) != NULL;
    case MBIM_MESSAGE_TYPE_COMMAND_DONE:
        return mbim_cid_get_printable (mbim_message_command_done_get_service (message),
                                       mbim_message_command_done_get_cid (message)) != NULL;
    case MBIM_MESSAGE_TYPE_INDICATE_STATUS:
        return mbim_cid_get_printable (mbim_message_indicate_status_get_service (message),
                                       mbim_message_indicate_status_get_cid (message)) != NULL;
    default:
        return FALSE;
    }
}

/* ---- one message and its answer ---- */

static void
fail (const char *what)
{
    printf ("%s: %s\n", what, failure ? failure->message : "?");
    result = 1;
    g_clear_error (&failure);
}

static void
answered (GObject *source, GAsyncResult *done, gpointer data)
{
    (void) source, (void) data;
    answer = mbim_device_command_finish (device, done, &failure);
    g_main_loop_quit (loop);
}

static void
print_token (const MbimMessage *message)
{
    const guint8 *token;
    int place;

    if (!mbim_message_auth_aka_response_parse (message, NULL, NULL, NULL, NULL, &token, &failure)) {
        fail ("auth-aka");
        return;
    }
    printf ("Auts = '");
    for (place = 0; place < 14; place++)
        printf (place ? ":%02x" : "%02x", token[place]);
    printf ("'\n");
}

static void
ask (const char *title, MbimMessage *message, GError *error)
{
    if (!message) {
        failure = error;
        fail (title);
        return;
    }
    mbim_device_command (device, message, PATIENCE, NULL, answered, NULL);
    g_main_loop_run (loop);
    mbim_message_unref (message);
    if (!answer) {
        fail (title);
        return;
    }
    if (mbim_message_response_get_result (answer, MBIM_MESSAGE_TYPE_COMMAND_DONE, &failure)) {
        if (!quiet)
            print (answer, title);
    } else {
        guint32 length = 0;

        fail (title);
        /* Some failures tell more, which libmbim does not print: where the card is when the network is out of step. */
        if (mbim_message_get_message_type (answer) == MBIM_MESSAGE_TYPE_COMMAND_DONE)
            mbim_message_command_done_get_raw_information_buffer (answer, &length);
        if (length > 0 && strcmp (title, "auth-aka") == 0)
            print_token (answer);
    }
    g_clear_pointer (&answer, mbim_message_unref);
}

/* ---- indications ---- */

static gboolean
is_wanted (const MbimMessage *message)
{
    return mbim_message_indicate_status_get_service (message) == wanted_service &&
           mbim_message_indicate_status_get_cid (message) == wanted_cid;
}

static void
indicated (MbimDevice *source, MbimMessage *message, gpointer data)
{
    (void) source, (void) data;
    g_queue_push_tail (&told, mbim_message_ref (message));
    if (waits && is_wanted (message))
        g_main_loop_quit (loop);
}

static gboolean
too_long (gpointer data)
{
    (void) data;
    waits = 0;
    g_main_loop_quit (loop);
    return G_SOURCE_REMOVE;
}

/* Asks for one kind of indication; only what goes wrong is printed. */
static void
subscribe (const MbimUuid *service, guint32 cid)
{
    MbimEventEntry entry = { *service, 1, &cid };
    const MbimEventEntry *entries[1] = { &entry };
    GError *error = NULL;

    quiet = TRUE;
    ask ("subscribe", mbim_message_device_service_subscribe_list_set_new (1, entries, &error), error);
    quiet = FALSE;
}

/* The first indication of a kind since the session began; each is printed once. Says when it begins to wait. */
static void
listen_for (MbimService service, guint32 cid)
{
    GList *one;

    wanted_service = service;
    wanted_cid = cid;
    for (one = told.head; one && !is_wanted (one->data); one = one->next)
        ;
    if (!one) {
        printf ("listening\n");
        fflush (stdout);
        waits = g_timeout_add_seconds (PATIENCE, too_long, NULL);
        g_main_loop_run (loop);
        if (!waits) {
            printf ("indication: none came\n");
            result = 1;
            return;
        }
        g_source_remove (waits);
        waits = 0;
        one = told.tail;
    }
    print (one->data, "indication");
    mbim_message_unref (one->data);
    g_queue_delete_link (&told, one);
}

/* ---- actions ---- */

#define DO(NAME, CALL)                                  \
    if (strcmp (name, NAME) == 0) {                     \
        GError *error = NULL;                           \
        MbimMessage *message = CALL;                    \
        ask (name, message, error);                     \
        return TRUE;                                    \
    }

static gboolean
act_sms (const char *name)
{
    DO ("sms-configuration", mbim_message_sms_configuration_query_new (&error));
    if (strcmp (name, "sms-configure") == 0) {
        guint32 format = number ();
        const char *centre = word ();
        GError *error = NULL;

        ask (name, mbim_message_sms_configuration_set_new (format, centre, &error), error);
        return TRUE;
    }
    if (strcmp (name, "sms-read") == 0) {
        guint32 flag = number (), index = number ();
        GError *error = NULL;

        ask (name, mbim_message_sms_read_query_new (MBIM_SMS_FORMAT_PDU, flag, index, &error), error);
        return TRUE;
    }
    if (strcmp (name, "sms-send") == 0) {
        GByteArray *pdu = hex ();
        MbimSmsPduSendRecord record = { pdu->len, pdu->data };
        GError *error = NULL;

        ask (name, mbim_message_sms_send_set_new (MBIM_SMS_FORMAT_PDU, &record, NULL, &error), error);
        return TRUE;
    }
    if (strcmp (name, "sms-send-cdma") == 0) {
        GByteArray *text = hex ();
        MbimSmsCdmaSendRecord record = { MBIM_SMS_CDMA_ENCODING_7BIT_ASCII, MBIM_SMS_CDMA_LANG_ENGLISH,
                                         (char *) "5550100", text->len, text->data, text->len };
        GError *error = NULL;

        ask (name, mbim_message_sms_send_set_new (MBIM_SMS_FORMAT_CDMA, NULL, &record, &error), error);
        return TRUE;
    }
    if (strcmp (name, "sms-delete") == 0) {
        guint32 flag = number (), index = number ();
        GError *error = NULL;

        ask (name, mbim_message_sms_delete_set_new (flag, index, &error), error);
        return TRUE;
    }
    DO ("sms-store-status", mbim_message_sms_message_store_status_query_new (&error));
    return FALSE;
}

static gboolean
act_ussd (const char *name)
{
    if (strcmp (name, "ussd") == 0) {
        guint32 action = number (), scheme = number ();
        GByteArray *payload = hex ();
        GError *error = NULL;

        ask (name, mbim_message_ussd_set_new (action, scheme, payload->len, payload->data, &error), error);
        return TRUE;
    }
    return FALSE;
}

static gboolean
act_stk (const char *name)
{
    DO ("stk-pac", mbim_message_stk_pac_query_new (&error));
    DO ("stk-pac-set", mbim_message_stk_pac_set_new (block (32), &error));
    DO ("stk-envelope", mbim_message_stk_envelope_query_new (&error));
    if (strcmp (name, "stk-envelope-set") == 0) {
        GByteArray *data = hex ();
        GError *error = NULL;

        ask (name, mbim_message_stk_envelope_set_new (data->len, data->data, &error), error);
        return TRUE;
    }
    if (strcmp (name, "stk-terminal-response") == 0) {
        GByteArray *data = hex ();
        GError *error = NULL;

        ask (name, mbim_message_stk_terminal_response_set_new (data->len, data->data, &error), error);
        return TRUE;
    }
    return FALSE;
}

static gboolean
act_auth (const char *name)
{
    if (strcmp (name, "auth-aka") == 0) {
        const guint8 *challenge = block (16), *token = block (16);
        GError *error = NULL;

        ask (name, mbim_message_auth_aka_query_new (challenge, token, &error), error);
        return TRUE;
    }
    if (strcmp (name, "auth-akap") == 0) {
        const guint8 *challenge = block (16), *token = block (16);
        const char *network = word ();
        GError *error = NULL;

        ask (name, mbim_message_auth_akap_query_new (challenge, token, network, &error), error);
        return TRUE;
    }
    if (strcmp (name, "auth-sim") == 0) {
        const guint8 *one = block (16), *two = block (16), *three = block (16);
        guint32 count = number ();
        GError *error = NULL;

        ask (name, mbim_message_auth_sim_query_new (one, two, three, count, &error), error);
        return TRUE;
    }
    return FALSE;
}

static gboolean
act_connect (const char *name)
{
    gboolean third = release >= 3;
    guint32 session, command;
    const char *access;
    GError *error = NULL;
    MbimMessage *message;

    if (strcmp (name, "connect") != 0)
        return FALSE;
    session = number ();
    command = number ();
    access = word ();
    if (third)
        message = mbim_message_ms_basic_connect_v3_connect_set_new (
            session, command, MBIM_COMPRESSION_NONE, MBIM_AUTH_PROTOCOL_NONE, MBIM_CONTEXT_IP_TYPE_IPV4,
            mbim_uuid_from_context_type (MBIM_CONTEXT_TYPE_INTERNET), MBIM_ACCESS_MEDIA_TYPE_3GPP, access, "", "",
            NULL, &error);
    else
        message = mbim_message_connect_set_new (session, command, access, "", "", MBIM_COMPRESSION_NONE,
                                                MBIM_AUTH_PROTOCOL_NONE, MBIM_CONTEXT_IP_TYPE_IPV4,
                                                mbim_uuid_from_context_type (MBIM_CONTEXT_TYPE_INTERNET), &error);
    ask (name, message, error);
    return TRUE;
}

static gboolean
act_extensions (const char *name)
{
    DO ("sys-caps", mbim_message_ms_basic_connect_extensions_sys_caps_query_new (&error));
    DO ("ext-device-caps", mbim_message_ms_basic_connect_extensions_device_caps_query_new (&error));
    DO ("lte-attach-info", mbim_message_ms_basic_connect_extensions_lte_attach_info_query_new (&error));
    DO ("location", mbim_message_ms_basic_connect_extensions_location_info_status_query_new (&error));
    DO ("slot-info", mbim_message_ms_basic_connect_extensions_slot_info_status_query_new (number (), &error));
    DO ("modem-configuration", mbim_message_ms_basic_connect_extensions_v3_modem_configuration_query_new (&error));
    DO ("wake-reason", mbim_message_ms_basic_connect_extensions_v3_wake_reason_query_new (&error));
    DO ("registration-parameters",
        mbim_message_ms_basic_connect_extensions_v3_registration_parameters_query_new (&error));
    if (strcmp (name, "version") == 0) {
        guint32 plain = number (), extended = number ();
        GError *error = NULL;

        ask (name,
             mbim_message_ms_basic_connect_extensions_v2_version_query_new ((guint16) plain, (guint16) extended, &error),
             error);
        return TRUE;
    }
    if (strcmp (name, "registration-parameters-set") == 0) {
        guint32 mico = number (), drx = number (), ladn = number (), hint = number (), again = number ();
        GError *error = NULL;

        ask (name,
             mbim_message_ms_basic_connect_extensions_v3_registration_parameters_set_new (mico, drx, ladn, hint,
                                                                                         again != 0, NULL, &error),
             error);
        return TRUE;
    }
    if (strcmp (name, "pco") == 0) {
        MbimPcoValue value = { number (), 0, MBIM_PCO_TYPE_COMPLETE, NULL };
        GError *error = NULL;

        ask (name, mbim_message_ms_basic_connect_extensions_pco_query_new (&value, &error), error);
        return TRUE;
    }
    if (strcmp (name, "slot-mappings-set") == 0) {
        MbimSlot slot = { number () };
        const MbimSlot *map[1] = { &slot };
        GError *error = NULL;

        ask (name, mbim_message_ms_basic_connect_extensions_device_slot_mappings_set_new (1, map, &error), error);
        return TRUE;
    }
    if (strcmp (name, "lte-attach-set") == 0) {
        guint32 operation = number ();
        MbimLteAttachConfiguration one = { MBIM_CONTEXT_IP_TYPE_IPV6, MBIM_LTE_ATTACH_CONTEXT_ROAMING_CONTROL_HOME,
                                           MBIM_CONTEXT_SOURCE_USER, (char *) "fast", (char *) "ann", (char *) "pass",
                                           MBIM_COMPRESSION_NONE, MBIM_AUTH_PROTOCOL_CHAP };
        MbimLteAttachConfiguration two = one, three = one;
        const MbimLteAttachConfiguration *all[3] = { &one, &two, &three };
        GError *error = NULL;

        two.roaming = MBIM_LTE_ATTACH_CONTEXT_ROAMING_CONTROL_PARTNER;
        three.roaming = MBIM_LTE_ATTACH_CONTEXT_ROAMING_CONTROL_NON_PARTNER;
        ask (name, mbim_message_ms_basic_connect_extensions_lte_attach_configuration_set_new (operation, 3, all, &error),
             error);
        return TRUE;
    }
    if (strcmp (name, "base-stations") == 0) {
        guint32 most = number ();
        GError *error = NULL;

        ask (name,
             release >= 3 ? mbim_message_ms_basic_connect_extensions_v3_base_stations_info_query_new (
                                most, most, most, most, most, most, &error)
                          : mbim_message_ms_basic_connect_extensions_base_stations_info_query_new (most, most, most, most,
                                                                                                  most, &error),
             error);
        return TRUE;
    }
    return FALSE;
}

static gboolean
act_card (const char *name)
{
    DO ("uicc-atr", mbim_message_ms_uicc_low_level_access_atr_query_new (&error));
    DO ("uicc-applications", mbim_message_ms_uicc_low_level_access_application_list_query_new (&error));
    DO ("uicc-reset", mbim_message_ms_uicc_low_level_access_reset_query_new (&error));
    DO ("uicc-capability", mbim_message_ms_uicc_low_level_access_terminal_capability_query_new (&error));
    if (strcmp (name, "uicc-open") == 0) {
        GByteArray *id = hex ();
        guint32 argument = number (), group = number ();
        GError *error = NULL;

        ask (name,
             mbim_message_ms_uicc_low_level_access_open_channel_set_new (id->len, id->data, argument, group, &error),
             error);
        return TRUE;
    }
    if (strcmp (name, "uicc-apdu") == 0) {
        guint32 channel = number ();
        GByteArray *command = hex ();
        GError *error = NULL;

        ask (name,
             mbim_message_ms_uicc_low_level_access_apdu_set_new (channel, MBIM_UICC_SECURE_MESSAGING_NONE,
                                                                 MBIM_UICC_CLASS_BYTE_TYPE_INTER_INDUSTRY, command->len,
                                                                 command->data, &error),
             error);
        return TRUE;
    }
    if (strcmp (name, "uicc-close") == 0) {
        guint32 channel = number (), group = number ();
        GError *error = NULL;

        ask (name, mbim_message_ms_uicc_low_level_access_close_channel_set_new (channel, group, &error), error);
        return TRUE;
    }
    if (strcmp (name, "uicc-read-record") == 0) {
        GByteArray *id = hex (), *path = hex ();
        guint32 record = number ();
        GError *error = NULL;

        ask (name,
             mbim_message_ms_uicc_low_level_access_read_record_query_new (1, id->len, id->data, path->len, path->data,
                                                                          record, "", 0, NULL, &error),
             error);
        return TRUE;
    }
    return FALSE;
}

static gboolean
act_others (const char *name)
{
    DO ("phonebook-configuration", mbim_message_phonebook_configuration_query_new (&error));
    DO ("phonebook-read", mbim_message_phonebook_read_query_new (MBIM_PHONEBOOK_FLAG_ALL, 0, &error));
    DO ("phonebook-delete", mbim_message_phonebook_delete_set_new (MBIM_PHONEBOOK_FLAG_INDEX, number (), &error));
    DO ("atds-signal", mbim_message_atds_signal_query_new (&error));
    DO ("atds-location", mbim_message_atds_location_query_new (&error));
    DO ("rfim-set", mbim_message_intel_thermal_rf_rfim_set_new (number () != 0, &error));
    if (strcmp (name, "phonebook-write") == 0) {
        guint32 index = number ();
        const char *digits = word (), *person = word ();
        GError *error = NULL;

        ask (name, mbim_message_phonebook_write_set_new (MBIM_PHONEBOOK_WRITE_FLAG_SAVE_INDEX, index, digits, person,
                                                         &error), error);
        return TRUE;
    }
    if (strcmp (name, "dss-connect") == 0) {
        MbimUuid service = uuid ();
        guint32 session = number (), state = number ();
        GError *error = NULL;

        ask (name, mbim_message_dss_connect_set_new (&service, session, state, &error), error);
        return TRUE;
    }
    if (strcmp (name, "listen") == 0) {
        MbimUuid service = uuid ();
        guint32 cid = number ();

        subscribe (&service, cid);
        listen_for (mbim_uuid_to_service (&service), cid);
        return TRUE;
    }
    return FALSE;
}

static void
act (void)
{
    const char *name = word ();

    if (!act_sms (name) && !act_ussd (name) && !act_stk (name) && !act_auth (name) && !act_connect (name) &&
        !act_extensions (name) && !act_card (name) && !act_others (name)) {
        fprintf (stderr, "no action %s\n", name);
        exit (2);
    }
}

/* ---- the session ---- */

static void
made (GObject *source, GAsyncResult *done, gpointer data)
{
    (void) source, (void) data;
    device = mbim_device_new_finish (done, &failure);
    g_main_loop_quit (loop);
}

static void
opened (GObject *source, GAsyncResult *done, gpointer data)
{
    (void) source;
    *(gboolean *) data = mbim_device_open_full_finish (device, done, &failure);
    g_main_loop_quit (loop);
}

static void
closed (GObject *source, GAsyncResult *done, gpointer data)
{
    (void) source, (void) data;
    mbim_device_close_finish (device, done, NULL);
    g_main_loop_quit (loop);
}

static int
session (const char *path)
{
    MbimDeviceOpenFlags flags = MBIM_DEVICE_OPEN_FLAGS_NONE;
    GFile *file = g_file_new_for_path (path);
    gboolean open = FALSE;

    for (; *words && strncmp (*words, "--", 2) == 0; words++) {
        if (strcmp (*words, "--proxy") == 0)
            flags |= MBIM_DEVICE_OPEN_FLAGS_PROXY;
        else if (strcmp (*words, "--v2") == 0)
            flags |= MBIM_DEVICE_OPEN_FLAGS_MS_MBIMEX_V2;
        else if (strcmp (*words, "--v3") == 0)
            flags |= MBIM_DEVICE_OPEN_FLAGS_MS_MBIMEX_V3;
        else
            return 2;
    }
    loop = g_main_loop_new (NULL, FALSE);
    mbim_device_new (file, NULL, made, NULL);
    g_main_loop_run (loop);
    if (!device) {
        fail ("device");
        return 1;
    }
    g_signal_connect (device, MBIM_DEVICE_SIGNAL_INDICATE_STATUS, G_CALLBACK (indicated), NULL);
    mbim_device_open_full (device, flags, PATIENCE, NULL, opened, &open);
    g_main_loop_run (loop);
    if (!open) {
        fail ("open");
        return 1;
    }
    release = mbim_device_get_ms_mbimex_version (device, NULL);
    while (*words) {
        act ();
        if (*words && strcmp (*words, "+") == 0)
            words++;
        else if (*words)
            return 2;
    }
    fflush (stdout);
    mbim_device_close (device, PATIENCE, NULL, closed, NULL);
    g_main_loop_run (loop);
    return result;
}

static int
print_all (void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline (&line, &room, stdin) > 0) {
        char *rest;
        GByteArray *bytes;
        MbimMessage *message;
        GError *error = NULL;

        release = (guint) strtoul (line, &rest, 10);
        bytes = from_hex (rest + strspn (rest, " "));
        message = mbim_message_new (bytes->data, bytes->len);
        if (!mbim_message_validate (message, &error)) {
            printf ("not valid: %s\n", error->message);
            g_clear_error (&error);
        } else {
            print (message, is_known (message) ? "message" : "unknown");
        }
        printf ("\n.\n");
        mbim_message_unref (message);
        g_byte_array_unref (bytes);
    }
    free (line);
    return 0;
}

int
main (int count, char **arguments)
{
    mbim_utils_set_show_personal_info (TRUE);
    if (count == 2 && strcmp (arguments[1], "print") == 0)
        return print_all ();
    if (count < 3) {
        fprintf (stderr, "usage: stranger DEVICE [--proxy] [--v2|--v3] ACTION [ARGUMENT...] [+ ...], or stranger print\n");
        return 2;
    }
    words = arguments + 2;
    return session (arguments[1]);
}
